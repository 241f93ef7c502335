package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.value.FixedMask;
import dev.coppice.masking.function.value.VariableMask;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Range;
import dev.coppice.masking.layout.DataType.Scalar;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** Functions on bool, enums, intervals and ranges. */
public final class SimpleMasks {
    private SimpleMasks() {}

    /** true or false, at random by value: with two values, this hides nothing from who knows the frequencies. */
    public record RandomBoolean() implements FixedMask {
        private static final long LABEL = PseudoRandom.label("random_bool");

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            return new byte[] {(byte) random.stream(LABEL, value).below(2)};
        }

        @Override
        public byte[] blank() {
            return new byte[1];
        }
    }

    /** One of an enum's labels, by the value. */
    public record RandomLabel(Enumeration type) implements FixedMask {
        private static final long LABEL = PseudoRandom.label("random_in_enum");

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            byte[] masked = new byte[Integer.BYTES];
            int drawn = random.stream(LABEL, value).below(type.labels().size());
            LittleEndian.put32(masked, 0, type.labels().get(drawn).oid());
            return masked;
        }

        @Override
        public byte[] blank() {
            byte[] first = new byte[Integer.BYTES];
            LittleEndian.put32(first, 0, type.labels().getFirst().oid());
            return first;
        }
    }

    /** An interval times a number near 1. */
    public record IntervalNoise(NumberFunctions.Noise noise) implements FixedMask {
        private static final int SIZE = 16;

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            byte[] masked = value.clone();
            long micros = LittleEndian.i64(value, 0);
            int days = LittleEndian.i32(value, 8);
            int months = LittleEndian.i32(value, 12);
            boolean infinite = months == Integer.MAX_VALUE || months == Integer.MIN_VALUE;
            if (!infinite) {
                LittleEndian.put64(masked, 0, noisy(random, micros, Long.MAX_VALUE - 1));
                LittleEndian.put32(masked, 8, (int) noisy(random, days, Integer.MAX_VALUE - 1));
                LittleEndian.put32(masked, 12, (int) noisy(random, months, Integer.MAX_VALUE - 1));
            }
            return masked;
        }

        private long noisy(PseudoRandom random, long field, long most) {
            BigDecimal result = noise.apply(random, BigDecimal.valueOf(field)).setScale(0, RoundingMode.HALF_EVEN);
            return result.min(BigDecimal.valueOf(most))
                    .max(BigDecimal.valueOf(-most))
                    .longValueExact();
        }

        @Override
        public byte[] blank() {
            return new byte[SIZE];
        }
    }

    /** A range moved as a whole, so its length and the order of its bounds stay; of integers, dates and timestamps. */
    public record RangeShift(Range type, int boundSize, long most) implements VariableMask {
        private static final long LABEL = PseudoRandom.label("noise of a range");
        private static final int BOUNDS_AT = 4;
        private static final int EMPTY = 0x01;
        private static final int LOWER_INFINITE = 0x08;
        private static final int UPPER_INFINITE = 0x10;
        /** A range whose bounds would pass these is not moved past them: no type ends so early. */
        private static final long LIMIT = 1L << 61;

        @Override
        public byte[] mask(PseudoRandom random, byte[] value) {
            if (value.length <= BOUNDS_AT) {
                throw malformed(value);
            }
            int flags = value[value.length - 1];
            int bounds = (flags & EMPTY) != 0
                    ? 0
                    : ((flags & LOWER_INFINITE) == 0 ? 1 : 0) + ((flags & UPPER_INFINITE) == 0 ? 1 : 0);
            if (value.length != BOUNDS_AT + bounds * boundSize + 1) {
                throw malformed(value);
            }
            long by = random.stream(LABEL, value).between(-most, most);
            for (int i = 0; i < bounds; i++) {
                by = limited(bound(value, i), by);
            }
            byte[] masked = value.clone();
            for (int i = 0; i < bounds; i++) {
                int at = BOUNDS_AT + i * boundSize;
                if (boundSize == Integer.BYTES) {
                    LittleEndian.put32(masked, at, (int) (bound(value, i) + by));
                } else {
                    LittleEndian.put64(masked, at, bound(value, i) + by);
                }
            }
            return masked;
        }

        private long bound(byte[] value, int index) {
            int at = BOUNDS_AT + index * boundSize;
            return boundSize == Integer.BYTES ? LittleEndian.i32(value, at) : LittleEndian.i64(value, at);
        }

        /** An infinite or far-away bound is not moved, and then the other neither. */
        private long limited(long bound, long by) {
            long limit = boundSize == Integer.BYTES ? Integer.MAX_VALUE / 2 : LIMIT;
            return Math.abs(bound) > limit ? 0 : Math.clamp(by, -limit, limit);
        }

        private static MalformedValueException malformed(byte[] value) {
            return new MalformedValueException("a range has " + value.length + " bytes");
        }

        @Override
        public byte[] blank() {
            return emptyRange(type);
        }
    }

    /** The payload of {@code 'empty'}. */
    public static byte[] emptyRange(Range type) {
        byte[] empty = new byte[RangeShift.BOUNDS_AT + 1];
        LittleEndian.put32(empty, 0, type.rangeOid());
        empty[RangeShift.BOUNDS_AT] = RangeShift.EMPTY;
        return empty;
    }

    /** Bytes of a range's bound, if it can be moved; else 0. */
    public static int boundSize(Range type) {
        return type.subtype() instanceof Scalar(var scalar)
                ? switch (scalar) {
                    case INT4, DATE -> Integer.BYTES;
                    case INT8, TIMESTAMP, TIMESTAMPTZ -> Long.BYTES;
                    default -> 0;
                }
                : 0;
    }
}
