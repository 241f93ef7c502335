package dev.coppice.storage.fault;

/** Stored bytes are not what was written; they are never served. */
public final class ChecksumMismatchException extends StorageException {
    /** The message says where. */
    public ChecksumMismatchException(String message) {
        super(message);
    }
}
