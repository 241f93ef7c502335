package dev.coppice.storage.layer;

import dev.coppice.common.Lsn;
import java.util.Arrays;
import java.util.Collection;

/**
 * The LSNs whose answers a merge must not change: everything at or beyond the horizon, the head, and the pins. Immutable.
 */
public final class RetainedPoints {
    /** Everything is retained. */
    public static final RetainedPoints ALL = new RetainedPoints(Lsn.ZERO, java.util.List.of());

    private final long horizon;
    private final long[] pins;

    /** @param pins in any order; those beyond the horizon are harmless */
    public RetainedPoints(Lsn horizon, Collection<Lsn> pins) {
        this.horizon = horizon.value();
        // Flipped, so that signed sorting and searching is unsigned.
        this.pins = pins.stream().mapToLong(pin -> flip(pin.value())).sorted().toArray();
    }

    /** Whether {@code lsn} is retained. */
    public boolean contains(long lsn) {
        return Long.compareUnsigned(lsn, horizon) >= 0 || Arrays.binarySearch(pins, flip(lsn)) >= 0;
    }

    /**
     * Whether any retained point lies in {@code from <= X < to}, unsigned; {@code to} = {@link #NEVER} has no end, so the
     * answer is true.
     */
    public boolean anyWithin(long from, long to) {
        if (to == NEVER) {
            return true;
        }
        if (Long.compareUnsigned(from, to) >= 0) {
            return false;
        }
        if (Long.compareUnsigned(to, horizon) > 0) {
            return true;
        }
        int at = Arrays.binarySearch(pins, flip(from));
        int first = at >= 0 ? at : -at - 1;
        return first < pins.length && pins[first] < flip(to);
    }

    /** Beyond every LSN; also the head's own LSN, which sees everything. */
    public static final long NEVER = -1L;

    private static long flip(long lsn) {
        return lsn ^ Long.MIN_VALUE;
    }
}
