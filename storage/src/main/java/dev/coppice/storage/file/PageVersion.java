package dev.coppice.storage.file;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;

/**
 * One thing that a timeline knows of a block: a version of it, or an event that took it away.
 *
 * @param timeline whose it is
 * @param stamp effective: the image at this LSN and above has it, until something later in sequence covers it
 * @param sequence its place in the timeline's journal: epoch in the upper 20 bits, byte below; unsigned
 * @param where the journal's epoch and byte ({@code journal 3@81920}), or the layer's name
 * @param served whether it is what a read at the LSN that was asked gets
 */
public record PageVersion(TimelineId timeline, Lsn stamp, long sequence, String where, Kind kind, boolean served) {
    /** The upper bits of a sequence, which are the epoch. */
    public static final int EPOCH_BITS = 20;

    /** What it is. */
    public enum Kind {
        /** The block's bytes. */
        PAGE,
        /** The block is zero. */
        ZERO,
        /** The whole file was replaced, and the block with it. */
        PUT,
        /** The file was cut before the block. */
        TRUNCATE,
        /** The file was created anew. */
        CREATE,
        /** The file was removed. */
        UNLINK
    }
}
