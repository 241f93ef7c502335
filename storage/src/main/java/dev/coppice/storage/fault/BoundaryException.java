package dev.coppice.storage.fault;

import org.jspecify.annotations.Nullable;

/**
 * What hides a parent's rows from a timeline is missing, is another's, or is not what it is known to be: nothing of the parent is
 * shown, and no compute starts. Or it cannot be told what a timeline reads of others: then nothing of it is shown at all. The message says
 * what to do.
 */
public final class BoundaryException extends StorageException {
    /** An error with what is wrong and what to do. */
    public BoundaryException(String message) {
        super(message);
    }

    /** As above, with what went wrong. */
    public BoundaryException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
