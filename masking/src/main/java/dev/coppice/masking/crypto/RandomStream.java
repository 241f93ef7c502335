package dev.coppice.masking.crypto;

import org.jspecify.annotations.Nullable;

/** Pseudo-random numbers without end. Lives as long as its {@link PseudoRandom}, on the same thread. */
public final class RandomStream {
    private final PseudoRandom random;
    private final long high;
    private final long low;
    private long counter;

    /** Blocks that were made ahead; most streams need one or two, some a hundred. */
    private long @Nullable [] ahead;

    private int next;

    RandomStream(PseudoRandom random, long high, long low) {
        this.random = random;
        this.high = high;
        this.low = low;
    }

    public long nextLong() {
        if (counter++ == 0) {
            return high ^ low;
        }
        long[] blocks = ahead;
        if (blocks == null) {
            blocks = new long[PseudoRandom.BLOCKS_AT_ONCE];
            ahead = blocks;
            next = blocks.length;
        }
        if (next == blocks.length) {
            next = 0;
            random.blocks(high, low, counter, blocks);
        }
        return blocks[next++];
    }

    /** A number from 0 to {@code bound - 1}; the bias is below {@code bound / 2^64}. */
    public long below(long bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("the bound " + bound + " is not positive");
        }
        return Math.unsignedMultiplyHigh(nextLong(), bound);
    }

    /** As {@link #below(long)}. */
    public int below(int bound) {
        return (int) below((long) bound);
    }

    /** A number from {@code least} to {@code greatest}, both included. */
    public long between(long least, long greatest) {
        long span = greatest - least + 1;
        return span == 0 ? nextLong() : least + Math.unsignedMultiplyHigh(nextLong(), span);
    }

    /** A number from 0 (included) to 1 (excluded). */
    public double fraction() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }
}
