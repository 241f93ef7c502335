package dev.coppice.masking.function.time;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.function.value.FixedMask;
import dev.coppice.masking.layout.ScalarType;

/** A function on date, time, timetz, timestamp and timestamptz. The infinities stay; a zone stays. */
public record TemporalMask(ScalarType type, TemporalFunction function) implements FixedMask {
    public static final long MICROS_PER_DAY = 86_400_000_000L;

    /** Limits of Postgres's calendar (datatype/timestamp.h), in days and microseconds from 2000-01-01. */
    private static final long FIRST_DAY = -2_451_545;

    private static final long LAST_DAY = 2_145_031_948L;
    private static final long FIRST_MICRO = -211_813_488_000_000_000L;
    private static final long LAST_MICRO = 9_223_371_331_199_999_999L;

    /** What a function makes of a time. */
    public interface TemporalFunction {
        /**
         * The masked time; it will be limited to what the type can hold.
         *
         * @param value since 2000-01-01, or midnight
         * @param unitsPerDay 1 if {@code value} counts days, {@link #MICROS_PER_DAY} if microseconds
         */
        long apply(PseudoRandom random, long value, long unitsPerDay);
    }

    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        byte[] masked = value.clone();
        if (type == ScalarType.DATE) {
            int days = LittleEndian.i32(value, 0);
            if (days != Integer.MAX_VALUE && days != Integer.MIN_VALUE) {
                long result = Math.clamp(function.apply(random, days, 1), FIRST_DAY, LAST_DAY);
                LittleEndian.put32(masked, 0, (int) result);
            }
            return masked;
        }
        long micros = LittleEndian.i64(value, 0);
        if (micros != Long.MAX_VALUE && micros != Long.MIN_VALUE) {
            long result = function.apply(random, micros, MICROS_PER_DAY);
            boolean ofDay = type == ScalarType.TIME || type == ScalarType.TIMETZ;
            LittleEndian.put64(
                    masked,
                    0,
                    ofDay ? Math.clamp(result, 0, MICROS_PER_DAY - 1) : Math.clamp(result, FIRST_MICRO, LAST_MICRO));
        }
        return masked;
    }

    @Override
    public byte[] blank() {
        return new byte[type.length()];
    }
}
