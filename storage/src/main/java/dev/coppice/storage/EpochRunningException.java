package dev.coppice.storage;

import dev.coppice.common.TimelineId;

/** Refused because a compute is writing the timeline. */
public final class EpochRunningException extends StorageException {
    EpochRunningException(TimelineId id) {
        super("a compute is writing timeline " + id);
    }
}
