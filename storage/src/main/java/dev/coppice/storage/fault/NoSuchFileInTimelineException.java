package dev.coppice.storage.fault;

import dev.coppice.common.TimelineId;

/** A page was asked of a file that does not exist as of that LSN. */
public final class NoSuchFileInTimelineException extends StorageException {
    public NoSuchFileInTimelineException(TimelineId id, String path) {
        super("timeline " + id + " has no file \"" + path + "\"");
    }
}
