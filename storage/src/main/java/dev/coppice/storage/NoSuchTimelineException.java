package dev.coppice.storage;

import dev.coppice.common.TimelineId;

/** No timeline has this id. */
public final class NoSuchTimelineException extends StorageException {
    NoSuchTimelineException(TimelineId id) {
        super("no timeline " + id);
    }
}
