package dev.coppice.storage.index;

/**
 * Where an entry is, and what kind of index record it made, packed into a {@code long}: 20 bits segment (its ordinal in
 * the timeline), 40 bits position, 3 bits kind. References compare in journal order.
 */
public final class EntryRef {
    private static final int KIND_BITS = 3;
    private static final int POSITION_BITS = 40;

    /** The most segments (starts of a compute) that a timeline can have. */
    static final int MAX_SEGMENTS = 1 << 20;

    /** The largest segment, in bytes. */
    static final long MAX_POSITION = 1L << POSITION_BITS;

    private EntryRef() {}

    static long of(int segment, long position, int kind) {
        return ((((long) segment << POSITION_BITS) | position) << KIND_BITS) | kind;
    }

    /** The ordinal of the segment. */
    public static int segment(long ref) {
        return (int) (ref >>> (POSITION_BITS + KIND_BITS));
    }

    /** The entry's first byte in the segment. */
    public static long position(long ref) {
        return (ref >>> KIND_BITS) & (MAX_POSITION - 1);
    }

    static int kind(long ref) {
        return (int) (ref & ((1 << KIND_BITS) - 1));
    }

    /** Whether {@code a} is a later entry than {@code b}. */
    static boolean isAfter(long a, long b) {
        return (a >>> KIND_BITS) > (b >>> KIND_BITS);
    }
}
