package dev.coppice.masking.crypto;

/**
 * A keyed permutation of strings of symbols, each with its own radix: a Feistel network over the two halves of the string, whose
 * rounds add to each symbol of one half, modulo its radix, what a pseudo-random function makes of the other half (as FF1 of NIST SP
 * 800-38G does to whole numbers). Strings of a shape that are fewer than 2^62 go through {@link NumberPermutation}; where each half has
 * fewer, the halves are numbers.
 *
 * <p>The radixes are part of the tweak: strings of different shapes are permuted independently.
 */
public final class SymbolPermutation {
    private static final int ROUNDS = 10;

    /** How many values one pseudo-random 64-bit fraction yields, as symbols after each other; the bias is below 2^-24. */
    private static final long FRACTION_VALUES = 1L << 40;

    private SymbolPermutation() {}

    /**
     * Replaces the symbols by what the permutation for {@code label} makes of them.
     *
     * @param symbols each from 0 to its radix - 1; changed in place
     * @param radixes at least 1 each
     */
    public static void permute(PseudoRandom random, long label, int[] symbols, int[] radixes) {
        long shape = shape(random, label, radixes);
        long size = size(radixes, 0, radixes.length);
        if (size > 0) {
            permuteAsNumber(random, shape, symbols, radixes, size);
            return;
        }
        int middle = middle(radixes);
        long left = size(radixes, 0, middle);
        long right = size(radixes, middle, radixes.length);
        if (left > 0 && right > 0) {
            permuteAsPair(random, shape, symbols, radixes, middle, left, right);
        } else {
            permuteHalves(random, shape, symbols, radixes, middle);
        }
    }

    private static void permuteHalves(PseudoRandom random, long shape, int[] symbols, int[] radixes, int middle) {
        byte[] bytes = new byte[4 * symbols.length];
        for (int round = 0; round < ROUNDS; round++) {
            boolean first = round % 2 == 0;
            int from = first ? 0 : middle;
            int to = first ? middle : symbols.length;
            int otherFrom = first ? middle : 0;
            int otherTo = first ? symbols.length : middle;
            int length = 0;
            for (int i = otherFrom; i < otherTo; i++) {
                length = put(bytes, length, symbols[i]);
            }
            RandomStream stream = random.stream(shape + round, bytes, length);
            long fraction = 0;
            long left = 0;
            for (int i = from; i < to; i++) {
                if (left < radixes[i]) {
                    fraction = stream.nextLong();
                    left = FRACTION_VALUES;
                }
                long added = Math.unsignedMultiplyHigh(fraction, radixes[i]);
                fraction *= radixes[i];
                left /= radixes[i];
                symbols[i] = (int) ((symbols[i] + added) % radixes[i]);
            }
        }
    }

    /** Symbols below 256 take a byte where all radixes do: fewer blocks to encipher. The shape tells which. */
    private static int put(byte[] bytes, int at, int symbol) {
        if (symbol < 0xFF) {
            bytes[at] = (byte) symbol;
            return at + 1;
        }
        bytes[at] = (byte) 0xFF;
        bytes[at + 1] = (byte) symbol;
        bytes[at + 2] = (byte) (symbol >>> 8);
        bytes[at + 3] = (byte) (symbol >>> 16);
        return at + 4;
    }

    /** How many strings there are, or 0 if they are 2^62 or more. */
    private static long size(int[] radixes, int from, int to) {
        long size = 1;
        for (int i = from; i < to; i++) {
            if (Math.multiplyHigh(size, radixes[i]) != 0 || size * radixes[i] < 0 || size * radixes[i] >= 1L << 62) {
                return 0;
            }
            size *= radixes[i];
        }
        return size;
    }

    private static long shape(PseudoRandom random, long label, int[] radixes) {
        byte[] bytes = new byte[4 * radixes.length];
        int length = 0;
        for (int radix : radixes) {
            length = put(bytes, length, radix);
        }
        return random.hash(label, 1, bytes, length);
    }

    /** Splits where both halves have about as many bits; whole numbers, as results must be the same on every machine. */
    private static int middle(int[] radixes) {
        int total = 0;
        for (int radix : radixes) {
            total += bits(radix);
        }
        int sum = 0;
        int middle = 0;
        while (middle < radixes.length - 1 && (middle == 0 || 2 * sum < total)) {
            sum += bits(radixes[middle++]);
        }
        return middle;
    }

    private static int bits(int radix) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(radix - 1);
    }

    private static void permuteAsNumber(PseudoRandom random, long shape, int[] symbols, int[] radixes, long size) {
        long value = number(symbols, radixes, 0, symbols.length);
        split(NumberPermutation.permute(random, shape, size, value), symbols, radixes, 0, symbols.length);
    }

    private static void permuteAsPair(
            PseudoRandom random, long shape, int[] symbols, int[] radixes, int middle, long left, long right) {
        long a = number(symbols, radixes, 0, middle);
        long b = number(symbols, radixes, middle, symbols.length);
        for (int round = 0; round < ROUNDS; round += 2) {
            a = (a + random.below(shape + round, b, left)) % left;
            b = (b + random.below(shape + round + 1, a, right)) % right;
        }
        split(a, symbols, radixes, 0, middle);
        split(b, symbols, radixes, middle, symbols.length);
    }

    private static long number(int[] symbols, int[] radixes, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) {
            value = value * radixes[i] + symbols[i];
        }
        return value;
    }

    private static void split(long value, int[] symbols, int[] radixes, int from, int to) {
        long rest = value;
        for (int i = to - 1; i >= from; i--) {
            symbols[i] = (int) (rest % radixes[i]);
            rest /= radixes[i];
        }
    }
}
