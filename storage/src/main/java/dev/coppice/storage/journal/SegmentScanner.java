package dev.coppice.storage.journal;

import dev.coppice.storage.fault.StorageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads a segment's entries in order, again and again as it grows. Used by one thread at a time.
 *
 * <p>A killed process leaves part of an entry behind; the next one appended after it. When the bytes at the position are
 * not a whole entry, the scanner looks for the next place that is (magic, header checksum, data checksum) and drops what
 * lies between. When there is none, it stays: the tail may still be in the making, until the epoch has ended.
 */
public final class SegmentScanner {
    /** Bytes read at once; an entry larger than this is read on its own. */
    private static final int WINDOW = 1 << 20;

    private static final int MAGIC_SIZE = 4;

    /**
     * The most bytes without a whole entry among them: killed processes leave far less, and a compute can make its file as long as it
     * likes.
     */
    static final long GAP_MAX = 256L << 20;

    private final JournalSegment segment;
    private final List<DamagedEntry> damaged;
    private long position;
    private long dropped;

    /** Up to here no entry begins that is whole, or can still become so. */
    private long searched;

    /** Begins at the first entry. */
    public SegmentScanner(JournalSegment segment) {
        this(segment, SegmentHeader.SIZE);
    }

    /** Begins at {@code position}, where an entry begins. */
    public SegmentScanner(JournalSegment segment, long position) {
        this(segment, position, List.of());
    }

    /** As above, knowing what of the segment is damaged, from {@link SegmentDamage}. */
    public SegmentScanner(JournalSegment segment, long position, List<DamagedEntry> damaged) {
        this.segment = segment;
        this.damaged = List.copyOf(damaged);
        this.position = position;
    }

    /** The segment that is read. */
    public JournalSegment segment() {
        return segment;
    }

    /** Every entry that begins before this byte has been delivered or dropped. */
    public long position() {
        return position;
    }

    /** Bytes dropped so far, of torn entries: without what is known to be damaged. */
    public long dropped() {
        return dropped;
    }

    /**
     * Delivers the entries between the position and the present end of the file.
     *
     * @param ended the epoch is over: nobody completes a torn tail any more, so it is dropped
     * @throws StorageException when {@link #GAP_MAX} bytes hold none
     */
    public void scan(boolean ended, Consumer<JournalEntry> consumer) {
        scan(ended, consumer, _ -> {});
    }

    /** As above; {@code lost} gets what is known to be damaged, in its place between the entries. */
    public void scan(boolean ended, Consumer<JournalEntry> consumer, Consumer<DamagedEntry> lost) {
        long end = segment.size();
        while (position < end) {
            long before = position;
            deliverWindow(load(position, (int) Math.min(WINDOW, end - position)), end, consumer);
            if (position > before) {
                continue;
            }
            long next = nextEntry(Math.max(searched, position + 1), end);
            if (next < 0) {
                searched = Math.max(searched, end - sizeOfLargest());
                if (ended) {
                    pass(end, lost);
                }
                break;
            }
            pass(next, lost);
        }
        if (ended) {
            damaged.stream().filter(known -> known.position() >= end).forEach(lost);
        }
    }

    private void pass(long next, Consumer<DamagedEntry> lost) {
        dropped += next - position;
        for (DamagedEntry known : damaged) {
            if (known.position() >= position && known.position() < next) {
                lost.accept(known);
                dropped -= known.length();
            }
        }
        position = next;
    }

    /** Moves the position over the whole entries in the window, and over one larger than the window. */
    private void deliverWindow(ByteBuffer window, long end, Consumer<JournalEntry> consumer) {
        int at = 0;
        while (at < window.limit()) {
            long size = EntryCodec.check(window, at, segment.epoch());
            if (size == EntryCodec.TRUNCATED && at == 0 && window.limit() < end - position) {
                window = load(position, (int) Math.min(sizeOfLargest(), end - position));
                size = EntryCodec.check(window, at, segment.epoch());
            }
            if (size <= 0) {
                return;
            }
            consumer.accept(EntryCodec.decode(window, at, position));
            at += (int) size;
            position += size;
        }
    }

    /** The next whole entry at or after {@code from}, or -1. */
    private long nextEntry(long from, long end) {
        for (long start = from; start + EntryCodec.FIXED_SIZE <= end; start += WINDOW - MAGIC_SIZE + 1) {
            if (start - position > GAP_MAX) {
                throw new StorageException(segment + ": the " + GAP_MAX + " bytes after byte " + position
                        + " hold no entry: the journal is damaged, or a program in the compute has written to it");
            }
            ByteBuffer window = load(start, (int) Math.min(WINDOW, end - start));
            for (int at = 0; at + MAGIC_SIZE <= window.limit(); at++) {
                if (EntryCodec.hasMagic(window, at) && isWholeEntry(start + at, end)) {
                    return start + at;
                }
            }
        }
        return -1;
    }

    private boolean isWholeEntry(long candidate, long end) {
        ByteBuffer small = load(candidate, (int) Math.min(2L * JournalSegment.BLOCK_SIZE, end - candidate));
        long size = EntryCodec.check(small, 0, segment.epoch());
        if (size == EntryCodec.TRUNCATED && small.limit() < end - candidate) {
            size = EntryCodec.check(
                    load(candidate, (int) Math.min(sizeOfLargest(), end - candidate)), 0, segment.epoch());
        }
        return size > 0;
    }

    private static long sizeOfLargest() {
        return (long) EntryCodec.FIXED_SIZE + EntryCodec.MAX_PATH_LENGTH + EntryCodec.MAX_DATA_LENGTH;
    }

    private ByteBuffer load(long from, int length) {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        segment.read(from, buffer);
        return buffer.flip();
    }
}
