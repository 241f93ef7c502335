package dev.coppice.storage;

import dev.coppice.common.TimelineId;

/** A timeline cannot begin on another, which has as many ancestors as a timeline may have. */
public final class ChainTooLongException extends StorageException {
    ChainTooLongException(TimelineId parent) {
        super("timeline " + parent + " has " + Timeline.MAX_DEPTH
                + " ancestors, the most there may be: nothing can begin on it");
    }
}
