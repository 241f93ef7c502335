package dev.coppice.storage.verify;

import dev.coppice.common.TimelineId;

/** Is told how far a long check is. Called from the checking thread, often. */
@FunctionalInterface
public interface Progress {
    /** Tells nobody. */
    Progress NONE = (timeline, step, done, total) -> {};

    /**
     * A step has got somewhere.
     *
     * @param step "journal", "layers" or "wal"
     * @param done bytes
     * @param total bytes that there are; may be exceeded when a compute writes meanwhile
     */
    void at(TimelineId timeline, String step, long done, long total);
}
