package dev.coppice.storage;

import dev.coppice.common.TimelineId;

/** A page was asked of a file that does not exist as of that LSN. */
public final class NoSuchFileInTimelineException extends StorageException {
    NoSuchFileInTimelineException(TimelineId id, String path) {
        super("timeline " + id + " has no file \"" + path + "\"");
    }
}
