package dev.coppice.storage.fault;

import dev.coppice.common.TimelineId;

/** Refused because a compute is writing the timeline. */
public final class EpochRunningException extends StorageException {
    public EpochRunningException(TimelineId id) {
        super("a compute is writing timeline " + id);
    }
}
