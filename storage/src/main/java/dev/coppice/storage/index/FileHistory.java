package dev.coppice.storage.index;

import java.util.Arrays;

/**
 * What happened to one file's existence and size, in journal order.
 *
 * <p>Two sorts of event. A <em>cut</em> says how things are whatever was before: created, unlinked, replaced whole,
 * truncated. A <em>growth</em> says that the file is at least so large. The size at an LSN is that of the newest visible
 * cut, or the largest visible growth after it. Example: CREATE@10, growth to 3 blocks @20, TRUNCATE to 1 block @30,
 * growth to 2 blocks @40; at 25 the file has 3 blocks, at 30 one.
 *
 * <p>Stamps mostly ascend, so a growth that enlarges nothing can be left out: whoever sees it sees all before it. When its
 * stamp is lower than one before, it is kept, as a growth that is no record.
 */
final class FileHistory {
    static final int CREATE = 0;
    static final int UNLINK = 1;
    static final int PUT = 2;
    static final int TRUNCATE = 3;
    static final int GROWTH = 4;

    /** A growth to less than an earlier one since the last cut. */
    static final int GROWTH_BEHIND = 5;

    /** No event; also "no cut before this one". */
    static final int NONE = -1;

    private long[] refs = new long[2];
    private long[] stamps = new long[2];
    private long[] sizes = new long[2];

    /** Of each event, the newest cut at or before it. */
    private int[] cuts = new int[2];

    private int count;

    /** The size with every event applied, and the largest raw stamp so far: what makes a growth redundant. */
    private long size;

    private boolean exists;
    private boolean cutSinceParent;
    private long highestStamp;

    void cut(long ref, long stamp, long newSize) {
        append(ref, stamp, newSize, count);
        exists = EntryRef.kind(ref) != UNLINK;
        cutSinceParent = true;
        size = newSize;
    }

    void grow(int segment, long position, long stamp, long newSize) {
        boolean inOrder = Long.compareUnsigned(stamp, highestStamp) >= 0;
        if (exists && newSize <= size && inOrder) {
            return;
        }
        int kind = exists && newSize < size ? GROWTH_BEHIND : GROWTH;
        append(EntryRef.of(segment, position, kind), stamp, newSize, count == 0 ? NONE : cuts[count - 1]);
        exists = true;
        size = Math.max(size, newSize);
    }

    private void append(long ref, long stamp, long newSize, int cut) {
        if (count == refs.length) {
            refs = Arrays.copyOf(refs, count * 2);
            stamps = Arrays.copyOf(stamps, count * 2);
            sizes = Arrays.copyOf(sizes, count * 2);
            cuts = Arrays.copyOf(cuts, count * 2);
        }
        refs[count] = ref;
        stamps[count] = stamp;
        sizes[count] = newSize;
        cuts[count] = cut;
        count++;
        if (Long.compareUnsigned(stamp, highestStamp) > 0) {
            highestStamp = stamp;
        }
    }

    /** What the timeline itself says of the file. */
    OwnFile at(Visibility visible) {
        if (visible.isHead()) {
            return head();
        }
        long best = NONE;
        int i = count - 1;
        while (i >= 0) {
            int kind = EntryRef.kind(refs[i]);
            if (kind < GROWTH) {
                if (visible.sees(refs[i], stamps[i])) {
                    return best == NONE && kind == UNLINK ? OwnFile.ABSENT : OwnFile.exists(Math.max(best, sizes[i]));
                }
                i--;
            } else if (visible.sees(refs[i], stamps[i])) {
                best = Math.max(best, sizes[i]);
                // A record exceeds all growths back to the cut: nothing in between matters.
                i = kind == GROWTH ? cuts[i] : i - 1;
            } else {
                i--;
            }
        }
        return best == NONE ? OwnFile.NOTHING : OwnFile.grown(best);
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

    /** The reference of the newest visible cut that takes {@code block} away, or {@link #NONE}. */
    long newestCutOf(long block, long blockSize, Visibility visible) {
        int i = count == 0 ? NONE : cuts[count - 1];
        while (i != NONE) {
            boolean covers = EntryRef.kind(refs[i]) != TRUNCATE || block * blockSize >= sizes[i];
            if (covers && visible.sees(refs[i], stamps[i])) {
                return refs[i];
            }
            i = i == 0 ? NONE : cuts[i - 1];
        }
        return NONE;
    }
}
