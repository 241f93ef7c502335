package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;

/**
 * WAL from one position to another.
 *
 * @param from the first byte
 * @param to one beyond the last byte; at or above {@code from}
 */
public record LsnRange(Lsn from, Lsn to) {
    /** No position is at or above it. */
    public static final Lsn UNBOUNDED = new Lsn(-1);

    /** Refuses a range that ends before it begins. */
    public LsnRange {
        if (from.isAfter(to)) {
            throw new IllegalArgumentException("the range begins at " + from + " and ends at " + to);
        }
    }

    /** Whether a byte lies in both this range and {@code start .. end - 1}; positions compared unsigned. */
    boolean touches(long start, long end) {
        return Long.compareUnsigned(from.value(), end) < 0 && Long.compareUnsigned(start, to.value()) < 0;
    }
}
