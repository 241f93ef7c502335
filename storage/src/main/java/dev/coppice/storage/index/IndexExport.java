package dev.coppice.storage.index;

import dev.coppice.storage.journal.JournalSegment;

/**
 * Receives all that an index holds, by path; of each path first the
 * events by sequence, then the block versions by block and sequence.
 *
 * <p>A sequence is an entry's place in the order of the timeline: {@code epoch << 44 | position}. Stamps are effective.
 */
public interface IndexExport {
    /** The next path. */
    void beginPath(String path);

    /**
     * An event of the path.
     *
     * @param size in bytes: the file's new size, or the least one when {@code GROWTH}
     */
    void event(FileEventKind kind, long stamp, long sequence, long size);

    /** A block is zero from here on. */
    void zero(long block, long stamp, long sequence);

    /**
     * A block is the data of the entry at {@code position}, or its block's part of that data when {@code whole}.
     */
    void page(long block, long stamp, long sequence, JournalSegment segment, long position, boolean whole);
}
