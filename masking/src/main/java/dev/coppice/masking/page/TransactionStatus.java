package dev.coppice.masking.page;

/** What pg_xact says, for tuples whose hint bits do not tell. */
@FunctionalInterface
public interface TransactionStatus {
    /** Knows nothing: only hint bits count. */
    TransactionStatus UNKNOWN = transaction -> false;

    /** Whether a transaction is known to have aborted. In doubt false. */
    boolean aborted(int transaction);
}
