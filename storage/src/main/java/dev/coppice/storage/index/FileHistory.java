package dev.coppice.storage.index;

import java.util.Arrays;

/**
 * What happened to one path's existence and size, in the order of the journal. Shared by the index of a journal and by
 * layers. Not thread-safe: one thread adds, or many read.
 *
 * <p>Two sorts of event. A <em>cut</em> says how things are whatever was before: created, unlinked, replaced whole,
 * truncated. A <em>growth</em> says that the file is at least so large. The size at an LSN is that of the newest visible
 * cut, or the largest visible growth after it. Example: CREATE@10, growth to 3 blocks @20, TRUNCATE to 1 block @30,
 * growth to 2 blocks @40; at 25 the file has 3 blocks, at 30 one. A directory's history has MKDIR and RMDIR, which are its
 * CREATE and UNLINK.
 *
 * <p>Stamps mostly ascend, so a growth that enlarges nothing can be left out: whoever sees it sees all before it. When its
 * stamp is lower than one before, it is kept, as a growth that is no record.
 *
 * <p>An event is known by its sequence, whose meaning is the owner's; events are added in its order.
 */
public final class FileHistory {
    /** Instead of a sequence: no such event. */
    public static final long NO_CUT = -1;

    private static final byte CREATE = (byte) FileEventKind.CREATE.code();
    private static final byte UNLINK = (byte) FileEventKind.UNLINK.code();
    private static final byte TRUNCATE = (byte) FileEventKind.TRUNCATE.code();

    /** A growth beyond all since the last cut. */
    private static final byte GROWTH = (byte) FileEventKind.GROWTH.code();

    /** A growth to less than an earlier one since the last cut. */
    private static final byte GROWTH_BEHIND = (byte) (GROWTH + 1);

    private static final int NONE = -1;

    private byte[] kinds = new byte[2];
    private long[] sequences = new long[2];
    private long[] stamps = new long[2];
    private long[] sizes = new long[2];

    /** Of each event, the newest cut at or before it. */
    private int[] cuts = new int[2];

    private int count;

    /** The size with every event applied, and the largest stamp so far: what makes a growth redundant. */
    private long size;

    private boolean exists;
    private boolean cutSinceParent;
    private long highestStamp;

    /** Whether no stamp is lower than one before it, so that what an LSN sees is a prefix. */
    private boolean ascending = true;

    /** Receives events as they were added, without the growths left out. */
    @FunctionalInterface
    public interface EventConsumer {
        /** @param stamp as it was added */
        void event(FileEventKind kind, long sequence, long stamp, long size);
    }

    /** Adds an event of any kind. */
    public void add(FileEventKind kind, long sequence, long stamp, long newSize) {
        switch (kind) {
            case GROWTH -> grow(sequence, stamp, newSize);
            case MKDIR -> cut(CREATE, sequence, stamp, 0);
            case RMDIR -> cut(UNLINK, sequence, stamp, 0);
            case CREATE, UNLINK, PUT, TRUNCATE -> cut((byte) kind.code(), sequence, stamp, newSize);
        }
    }

    private void cut(byte kind, long sequence, long stamp, long newSize) {
        append(kind, sequence, stamp, newSize, count);
        exists = kind != UNLINK;
        cutSinceParent = true;
        size = newSize;
    }

    private void grow(long sequence, long stamp, long newSize) {
        boolean inOrder = Long.compareUnsigned(stamp, highestStamp) >= 0;
        if (exists && newSize <= size && inOrder) {
            return;
        }
        byte kind = exists && newSize < size ? GROWTH_BEHIND : GROWTH;
        append(kind, sequence, stamp, newSize, count == 0 ? NONE : cuts[count - 1]);
        exists = true;
        size = Math.max(size, newSize);
    }

    private void append(byte kind, long sequence, long stamp, long newSize, int cut) {
        if (count == sequences.length) {
            kinds = Arrays.copyOf(kinds, count * 2);
            sequences = Arrays.copyOf(sequences, count * 2);
            stamps = Arrays.copyOf(stamps, count * 2);
            sizes = Arrays.copyOf(sizes, count * 2);
            cuts = Arrays.copyOf(cuts, count * 2);
        }
        kinds[count] = kind;
        sequences[count] = sequence;
        stamps[count] = stamp;
        sizes[count] = newSize;
        cuts[count] = cut;
        count++;
        if (Long.compareUnsigned(stamp, highestStamp) >= 0) {
            highestStamp = stamp;
        } else {
            ascending = false;
        }
    }

    /** Whether there is no event. */
    public boolean isEmpty() {
        return count == 0;
    }

    /** Bytes of heap, about. */
    public long heapBytes() {
        return 120 + sequences.length * 29L;
    }

    /** Gives every event in order; those of a directory come as MKDIR and RMDIR. */
    public void forEach(boolean directory, EventConsumer consumer) {
        for (int i = 0; i < count; i++) {
            FileEventKind kind;
            if (directory) {
                kind = kinds[i] == UNLINK ? FileEventKind.RMDIR : FileEventKind.MKDIR;
            } else {
                FileEventKind known = kinds[i] >= GROWTH ? FileEventKind.GROWTH : FileEventKind.ofCode(kinds[i]);
                kind = java.util.Objects.requireNonNull(known);
            }
            consumer.event(kind, sequences[i], stamps[i], sizes[i]);
        }
    }

    /** What these events alone say of the file. */
    public OwnFile at(Visibility visible) {
        if (visible.isHead()) {
            return head();
        }
        long best = NONE;
        int i = newestThatMayBeVisible(visible);
        while (i >= 0) {
            if (kinds[i] < GROWTH) {
                if (visible.sees(sequences[i], stamps[i])) {
                    return best == NONE && kinds[i] == UNLINK
                            ? OwnFile.ABSENT
                            : OwnFile.exists(Math.max(best, sizes[i]));
                }
                i--;
            } else if (visible.sees(sequences[i], stamps[i])) {
                best = Math.max(best, sizes[i]);
                // A record exceeds all growths back to the cut: nothing in between matters.
                i = kinds[i] == GROWTH ? cuts[i] : i - 1;
            } else {
                i--;
            }
        }
        return best == NONE ? OwnFile.NOTHING : OwnFile.grown(best);
    }

    /** A bulk load leaves a growth for each block: an old LSN must not walk over all of them. */
    private int newestThatMayBeVisible(Visibility visible) {
        if (!ascending) {
            return count - 1;
        }
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (visible.sees(sequences[middle], stamps[middle])) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    private OwnFile head() {
        if (count == 0) {
            return OwnFile.NOTHING;
        }
        if (!exists) {
            return OwnFile.ABSENT;
        }
        return cutSinceParent ? OwnFile.exists(size) : OwnFile.grown(size);
    }

    /** The sequence of the newest visible cut that takes {@code block} away, or {@link #NO_CUT}. */
    public long newestCutOf(long block, long blockSize, Visibility visible) {
        int i = newestCoveringCut(block, blockSize, visible);
        return i == NONE ? NO_CUT : sequences[i];
    }

    /** The stamp, as it was added, of the cut that {@link #newestCutOf} finds; 0 when there is none. */
    public long stampOfNewestCutOf(long block, long blockSize, Visibility visible) {
        int i = newestCoveringCut(block, blockSize, visible);
        return i == NONE ? 0 : stamps[i];
    }

    private int newestCoveringCut(long block, long blockSize, Visibility visible) {
        int i = count == 0 ? NONE : cuts[count - 1];
        while (i != NONE) {
            boolean covers = kinds[i] != TRUNCATE || block * blockSize >= sizes[i];
            if (covers && visible.sees(sequences[i], stamps[i])) {
                return i;
            }
            i = i == 0 ? NONE : cuts[i - 1];
        }
        return NONE;
    }
}
