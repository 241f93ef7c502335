package dev.coppice.storage.fault;

import dev.coppice.common.TimelineId;

/** A timeline cannot begin on another, which has as many ancestors as a timeline may have. */
public final class ChainTooLongException extends StorageException {
    public ChainTooLongException(TimelineId parent, int most) {
        super("timeline " + parent + " has " + most + " ancestors, the most there may be: nothing can begin on it");
    }
}
