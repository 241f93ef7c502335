package dev.coppice.masking.format;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The numeric type on disk (numeric.c): a header of sign, display scale and weight, then digits to base 10000, without leading
 * or trailing zero digits. Payloads, without the varlena header.
 */
public final class PgNumeric {
    private static final int BASE_DIGITS = 4;
    private static final int BASE = 10_000;
    private static final BigInteger BIG_BASE = BigInteger.valueOf(BASE);

    private static final int SHORT_FLAG = 0x8000;
    private static final int SPECIAL_FLAG = 0xC000;
    private static final int SHORT_NEGATIVE = 0x2000;
    private static final int LONG_NEGATIVE = 0x4000;
    private static final int SHORT_SCALE_MAX = 0x3F;
    private static final int SHORT_WEIGHT_MAX = 0x3F;
    private static final int SHORT_WEIGHT_MIN = -0x40;
    private static final int LONG_SCALE_MASK = 0x3FFF;

    private PgNumeric() {}

    /**
     * The value with its display scale as {@link BigDecimal#scale()}, or null for NaN and the infinities.
     *
     * @throws MalformedValueException if the bytes are no numeric
     */
    public static @Nullable BigDecimal decode(byte[] payload) {
        if (payload.length < 2) {
            throw new MalformedValueException("a numeric of " + payload.length + " bytes is too short");
        }
        int header = LittleEndian.u16(payload, 0);
        if ((header & SPECIAL_FLAG) == SPECIAL_FLAG) {
            return null;
        }
        boolean isShort = (header & SHORT_FLAG) != 0;
        int start = isShort ? 2 : 4;
        if (payload.length < start || (payload.length - start) % 2 != 0) {
            throw new MalformedValueException("a numeric of " + payload.length + " bytes has no whole digits");
        }
        int scale = isShort ? header >>> 7 & SHORT_SCALE_MAX : header & LONG_SCALE_MASK;
        int weight = isShort ? (header & 0x3F) - ((header & 0x40) == 0 ? 0 : 0x40) : LittleEndian.i16(payload, 2);
        boolean negative = (header & (isShort ? SHORT_NEGATIVE : LONG_NEGATIVE)) != 0;
        int digits = (payload.length - start) / 2;
        BigDecimal value = new BigDecimal(unscaled(payload, start, digits), BASE_DIGITS * (digits - 1 - weight));
        return (negative ? value.negate() : value).setScale(scale, RoundingMode.DOWN);
    }

    private static BigInteger unscaled(byte[] payload, int start, int digits) {
        if (digits <= 4) {
            long small = 0;
            for (int i = 0; i < digits; i++) {
                small = small * BASE + LittleEndian.i16(payload, start + 2 * i);
            }
            return BigInteger.valueOf(small);
        }
        StringBuilder text = new StringBuilder(digits * BASE_DIGITS);
        for (int i = 0; i < digits; i++) {
            int digit = LittleEndian.i16(payload, start + 2 * i);
            if (digit < 0 || digit >= BASE) {
                throw new MalformedValueException("a numeric has a digit of " + digit);
            }
            text.append(Integer.toString(BASE + digit), 1, 1 + BASE_DIGITS);
        }
        return new BigInteger(text.toString());
    }

    /** The payload of a value; its scale, at least 0, becomes the display scale. */
    public static byte[] encode(BigDecimal value) {
        int scale = Math.max(0, value.scale());
        BigDecimal scaled = value.setScale(scale, RoundingMode.UNNECESSARY);
        // Whole base-10000 digits after the point.
        int fraction = (scale + BASE_DIGITS - 1) / BASE_DIGITS;
        BigInteger rest = scaled.unscaledValue().abs().multiply(BigInteger.TEN.pow(fraction * BASE_DIGITS - scale));
        short[] reversed = new short[rest.bitLength() / 13 + 1];
        int count = 0;
        while (rest.signum() != 0) {
            BigInteger[] parts = rest.divideAndRemainder(BIG_BASE);
            reversed[count++] = parts[1].shortValue();
            rest = parts[0];
        }
        int lowest = 0;
        while (lowest < count && reversed[lowest] == 0) {
            lowest++;
        }
        int weight = count == 0 ? 0 : count - 1 - fraction;
        boolean isShort = scale <= SHORT_SCALE_MAX && weight <= SHORT_WEIGHT_MAX && weight >= SHORT_WEIGHT_MIN;
        int start = isShort ? 2 : 4;
        byte[] payload = new byte[start + 2 * (count - lowest)];
        boolean negative = value.signum() < 0;
        if (isShort) {
            int header =
                    SHORT_FLAG | (negative ? SHORT_NEGATIVE : 0) | scale << 7 | (weight < 0 ? 0x40 : 0) | weight & 0x3F;
            LittleEndian.put16(payload, 0, header);
        } else {
            LittleEndian.put16(payload, 0, (negative ? LONG_NEGATIVE : 0) | scale & LONG_SCALE_MASK);
            LittleEndian.put16(payload, 2, weight);
        }
        for (int i = count - 1, at = start; i >= lowest; i--, at += 2) {
            LittleEndian.put16(payload, at, reversed[i]);
        }
        return payload;
    }

    /**
     * The payload of a value in at most {@code capacity} bytes (at least 2): digits are cut from the right where it must be, the
     * display scale stays.
     */
    public static byte[] encode(BigDecimal value, int capacity) {
        byte[] payload = encode(value);
        if (payload.length <= capacity) {
            return payload;
        }
        byte[] cut = Arrays.copyOf(payload, capacity & ~1);
        int start = (LittleEndian.u16(payload, 0) & SHORT_FLAG) != 0 ? 2 : 4;
        int end = cut.length;
        while (end > start && LittleEndian.i16(cut, end - 2) == 0) {
            end -= 2;
        }
        return end <= start ? encode(BigDecimal.ZERO) : Arrays.copyOf(cut, end);
    }
}
