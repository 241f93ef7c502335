package dev.coppice.storage.index;

/**
 * Where a block's content is.
 *
 * @param ref the entry, when {@code PAGE} or {@code WHOLE}
 * @param stamp the effective stamp, when {@code PAGE} or {@code WHOLE}
 */
public record BlockVersion(Source source, long ref, long stamp) {
    /** What to read. */
    public enum Source {
        /** No entry of this timeline says anything: as in the parent. */
        PARENT,
        /** The block is zero. */
        ZERO,
        /** The entry's data is the block. */
        PAGE,
        /** The entry's data is the whole file. */
        WHOLE
    }

    static final BlockVersion PARENT = new BlockVersion(Source.PARENT, 0, 0);
    static final BlockVersion ZERO = new BlockVersion(Source.ZERO, 0, 0);
}
