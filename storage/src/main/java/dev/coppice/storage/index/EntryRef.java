package dev.coppice.storage.index;

/**
 * Where an entry is, and what kind of index record it made, packed into a {@code long}: 17 bits segment (its ordinal in
 * the index), 44 bits position, 3 bits kind. References of one index compare in journal order.
 */
final class EntryRef {
    private static final int KIND_BITS = 3;
    private static final int POSITION_BITS = 44;

    /** The most segments (starts of a compute) whose journals wait for a flush. */
    static final int MAX_SEGMENTS = 1 << (Long.SIZE - POSITION_BITS - KIND_BITS);

    /** The largest segment, in bytes. */
    static final long MAX_POSITION = 1L << POSITION_BITS;

    private EntryRef() {}

    static long of(int segment, long position, int kind) {
        return ((((long) segment << POSITION_BITS) | position) << KIND_BITS) | kind;
    }

    /** The ordinal of the segment. */
    static int segment(long ref) {
        return (int) (ref >>> (POSITION_BITS + KIND_BITS));
    }

    /** The entry's first byte in the segment. */
    static long position(long ref) {
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
