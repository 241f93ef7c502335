package dev.coppice.storage.index;

import dev.coppice.storage.journal.JournalSegment;
import org.jspecify.annotations.Nullable;

/**
 * Where a block's content is.
 *
 * @param segment the journal segment of the entry, when {@code PAGE} or {@code WHOLE}; else null
 * @param position the entry's first byte in it
 * @param stamp the effective stamp, when {@code PAGE} or {@code WHOLE}
 */
public record BlockVersion(Source source, @Nullable JournalSegment segment, long position, long stamp) {
    /** What to read. */
    public enum Source {
        /** No entry of the index says anything: as before the index begins, or in the parent. */
        NONE,
        /** The block is zero. */
        ZERO,
        /** The entry's data is the block. */
        PAGE,
        /** The entry's data is the whole file. */
        WHOLE
    }

    static final BlockVersion NONE = new BlockVersion(Source.NONE, null, 0, 0);
    static final BlockVersion ZERO = new BlockVersion(Source.ZERO, null, 0, 0);
}
