package dev.coppice.storage.fault;

import org.jspecify.annotations.Nullable;

/** Root of what the page service throws. The message says which timeline or file, and what was found. */
public class StorageException extends RuntimeException {
    /** An error with its context. */
    public StorageException(String message) {
        super(message);
    }

    /** An error with its context and what led to it. */
    public StorageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
