package dev.coppice.masking.crypto;

/**
 * A keyed permutation of the numbers from 0 to size - 1, for any size: a Feistel network over two digits to the base of the
 * size's square root, and out of its range again until the result lies inside (cycle walking). Up to {@value #TABLE_LIMIT} numbers it is a
 * shuffled table that leaves no number where it was (Sattolo), since a network of so few states is weak.
 */
public final class NumberPermutation {
    /** Up to this size the permutation is a shuffled table. */
    static final int TABLE_LIMIT = 1024;

    private static final long LARGE = 1_000_000;
    private static final int ROUNDS = 10;
    private static final int ROUNDS_OF_SMALL = 18;

    private NumberPermutation() {}

    /**
     * Where the permutation for {@code label} takes {@code value}.
     *
     * @param size the number of values, at least 1
     * @param value from 0 to {@code size - 1}
     */
    public static long permute(PseudoRandom random, long label, long size, long value) {
        if (value < 0 || value >= size) {
            throw new IllegalArgumentException(value + " is not below " + size);
        }
        if (size <= TABLE_LIMIT) {
            return random.table(label, (int) size)[(int) value];
        }
        long left = (long) Math.ceil(Math.sqrt((double) size));
        while (left * left < size && left * left > 0) {
            left++;
        }
        long right = Long.divideUnsigned(size + left - 1, left);
        long mixed = label ^ size * 0x9E3779B97F4A7C15L;
        long walked = value;
        do {
            walked = encipher(random, mixed, left, right, walked, size >= LARGE ? ROUNDS : ROUNDS_OF_SMALL);
        } while (walked >= size || walked < 0);
        return walked;
    }

    private static long encipher(PseudoRandom random, long label, long left, long right, long value, int rounds) {
        long a = Long.divideUnsigned(value, right);
        long b = Long.remainderUnsigned(value, right);
        for (int round = 0; round < rounds; round += 2) {
            a = (a + Long.remainderUnsigned(random.number(label, round, (int) b), left)) % left;
            b = (b + Long.remainderUnsigned(random.number(label, round + 1, (int) a), right)) % right;
        }
        return a * right + b;
    }
}
