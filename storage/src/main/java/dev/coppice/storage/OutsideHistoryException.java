package dev.coppice.storage;

/** The requested LSN or time is before the oldest or after the newest point; the message states the allowed range. */
public final class OutsideHistoryException extends StorageException {
    OutsideHistoryException(String message) {
        super(message);
    }
}
