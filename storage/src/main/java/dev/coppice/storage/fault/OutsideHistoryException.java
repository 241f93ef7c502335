package dev.coppice.storage.fault;

/** The requested LSN or time is before the oldest or after the newest point; the message states the allowed range. */
public final class OutsideHistoryException extends StorageException {
    public OutsideHistoryException(String message) {
        super(message);
    }
}
