package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import java.util.function.LongConsumer;

/**
 * A walk over every record of a range, checking pages, back links and checksums.
 *
 * @param records valid ones
 * @param reached the boundary behind the last valid record; {@code to} when all is well, beyond it when {@code to} is inside
 *     a record
 */
public record WalWalk(long records, Lsn reached) {
    /** Records between two reports of progress. */
    private static final int REPORT = 4096;

    /**
     * Walks.
     *
     * @param range begins at a record
     * @param progress is told the bytes walked now and then
     */
    public static WalWalk over(WalStore store, LsnRange range, LongConsumer progress) {
        long from = range.from().value();
        WalScanner scanner = new WalScanner(store, from, 0);
        long records = 0;
        while (Long.compareUnsigned(scanner.position(), range.to().value()) < 0 && scanner.next()) {
            records++;
            if (records % REPORT == 0) {
                progress.accept(scanner.position() - from);
            }
        }
        return new WalWalk(records, new Lsn(scanner.position()));
    }
}
