package dev.coppice.masking.crypto;

/** Pseudo-random numbers without end. Lives as long as its {@link PseudoRandom}, on the same thread. */
public final class RandomStream {
    private final PseudoRandom random;
    private final long high;
    private final long low;
    private long counter;

    RandomStream(PseudoRandom random, long high, long low) {
        this.random = random;
        this.high = high;
        this.low = low;
    }

    public long nextLong() {
        return counter++ == 0 ? high ^ low : random.block(high, low, counter);
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
