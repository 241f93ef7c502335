package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.NumberPermutation;
import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Another whole number with as many digits and the same sign; distinct numbers stay distinct. Inside the limits of the narrowest column of a key
 * group the results stay inside them, so that masked keys fit all the columns that refer to them.
 *
 * @param type what the column is
 * @param least of the key group, 0 or negative
 * @param greatest of the key group
 * @param range numbers in it are permuted among themselves, whatever their digits; null for none
 */
public record IntegerPseudonym(
        ScalarType type,
        long least,
        long greatest,
        @Nullable Range range) implements IntegerMask.IntegerFunction {
    private static final long LABEL = PseudoRandom.label("pseudonym of an integer");
    private static final long RANGE = PseudoRandom.label("pseudonym of an integer in a range");

    /** Both ends included, and at least one number apart. */
    public record Range(long first, long last) {
        boolean contains(long value) {
            return value >= first && value <= last;
        }
    }

    @Override
    public long apply(PseudoRandom random, long value) {
        if (range != null && range.contains(value)) {
            return range.first()
                    + NumberPermutation.permute(random, RANGE, range.last() - range.first() + 1, value - range.first());
        }
        long masked = value;
        do {
            masked = permuteDigits(random, masked);
        } while (range != null && range.contains(masked));
        return masked;
    }

    /** Magnitudes are unsigned: that of the least int8 has no positive number. */
    private long permuteDigits(PseudoRandom random, long value) {
        boolean negative = value < 0;
        long magnitude = negative ? -value : value;
        long first = negative ? 1 : 0;
        long last = 9;
        while (Long.compareUnsigned(magnitude, last) > 0) {
            first = last + 1;
            last = Long.compareUnsigned(last, Long.divideUnsigned(-1L, 10) - 1) > 0 ? Long.MIN_VALUE : last * 10 + 9;
        }
        DataType dataType = DataType.of(type);
        long ceiling = negative ? -IntegerMask.least(dataType) : IntegerMask.greatest(dataType);
        last = least(last, ceiling);
        long limit = negative ? -least : greatest;
        if (Long.compareUnsigned(magnitude, limit) <= 0) {
            last = least(last, limit);
        } else if (Long.compareUnsigned(first, limit) <= 0) {
            first = limit + 1;
        }
        long masked = first
                + NumberPermutation.permute(random, negative ? ~LABEL : LABEL, last - first + 1, magnitude - first);
        return negative ? -masked : masked;
    }

    private static long least(long a, long b) {
        return Long.compareUnsigned(a, b) < 0 ? a : b;
    }
}
