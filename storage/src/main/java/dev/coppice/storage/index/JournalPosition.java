package dev.coppice.storage.index;

/**
 * A place in a timeline's journal at which it was split by a fence.
 *
 * @param epoch the segment; 0 = the beginning of the journal
 * @param offset a byte of it at which an entry begins
 * @param stamp what comes at or after it has a higher effective stamp
 */
public record JournalPosition(int epoch, long offset, long stamp) {
    /** The beginning. */
    public static final JournalPosition START = new JournalPosition(0, 0, 0);
}
