package dev.coppice.storage.fault;

import dev.coppice.common.TimelineId;

/** A timeline with this id is there already. */
public final class TimelineExistsException extends StorageException {
    public TimelineExistsException(TimelineId id) {
        super("timeline " + id + " exists already");
    }
}
