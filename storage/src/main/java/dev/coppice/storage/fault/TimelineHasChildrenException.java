package dev.coppice.storage.fault;

import dev.coppice.common.TimelineId;
import java.util.Set;

/** The timeline cannot be deleted while others read through it. */
public final class TimelineHasChildrenException extends StorageException {
    public TimelineHasChildrenException(TimelineId id, Set<TimelineId> children) {
        super("timeline " + id + " has children: " + children);
    }
}
