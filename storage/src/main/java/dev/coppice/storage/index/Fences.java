package dev.coppice.storage.index;

import java.util.Arrays;

/**
 * The fences of one segment, in order: ascending by the byte they reach to, and never descending in stamp.
 *
 * <p>A fence (stamp Q, byte J) says: what begins before J depends on WAL up to Q only, so a higher raw stamp is an
 * overshoot of the mark and is lowered to Q. A branch point at Q was made with it, so what begins at or after J must not
 * be seen there: a raw stamp at or below Q is raised to Q + 1.
 */
final class Fences {
    private long[] reach = new long[4];
    private long[] stamps = new long[4];
    private int count;

    /** An epoch begins behind everything before it, as if a fence just below its start mark stood at its head. */
    Fences(long startMark) {
        if (startMark != 0) {
            add(0, startMark - 1);
        }
    }

    /** Adds a fence; one that reaches less far, or has a lower stamp, than the last is brought up to the last. */
    void add(long offset, long stamp) {
        if (count == reach.length) {
            reach = Arrays.copyOf(reach, count * 2);
            stamps = Arrays.copyOf(stamps, count * 2);
        }
        if (count > 0) {
            offset = Math.max(offset, reach[count - 1]);
            stamp = Long.compareUnsigned(stamp, stamps[count - 1]) < 0 ? stamps[count - 1] : stamp;
        }
        reach[count] = offset;
        stamps[count] = stamp;
        count++;
    }

    /** The stamp of the last fence; 0 without one. */
    long lastStamp() {
        return count == 0 ? 0 : stamps[count - 1];
    }

    /** The effective stamp of the entry that begins at {@code position} and was written with {@code raw}. */
    long effective(long position, long raw) {
        if (count == 0) {
            return raw;
        }
        int covering = firstReachingBeyond(position);
        long stamp = raw;
        if (covering < count && Long.compareUnsigned(stamp, stamps[covering]) > 0) {
            stamp = stamps[covering];
        }
        if (covering > 0 && Long.compareUnsigned(stamp, stamps[covering - 1]) <= 0) {
            stamp = stamps[covering - 1] + 1;
        }
        return stamp;
    }

    private int firstReachingBeyond(long position) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (reach[middle] > position) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
}
