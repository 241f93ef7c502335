package dev.coppice.storage.fault;

import dev.coppice.common.TimelineId;

/** No timeline has this id. */
public final class NoSuchTimelineException extends StorageException {
    public NoSuchTimelineException(TimelineId id) {
        super("no timeline " + id);
    }
}
