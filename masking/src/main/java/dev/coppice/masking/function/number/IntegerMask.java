package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.MalformedValueException;
import dev.coppice.masking.function.value.FixedMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** A function on int2, int4, int8, oid and money. */
public record IntegerMask(ScalarType type, IntegerFunction function) implements FixedMask {
    private static final int CENTS = 2;

    /** What a function makes of a whole number; of money, of cents. */
    interface IntegerFunction {
        long apply(PseudoRandom random, long value);
    }

    /** A function on any numbers; money counts in units of two decimals. */
    public static IntegerMask of(ScalarType type, NumberFunction function) {
        int scale = type == ScalarType.MONEY ? CENTS : 0;
        BigDecimal least = BigDecimal.valueOf(least(DataType.of(type)));
        BigDecimal greatest = BigDecimal.valueOf(greatest(DataType.of(type)));
        return new IntegerMask(
                type,
                (random, value) -> function.apply(random, BigDecimal.valueOf(value, scale))
                        .movePointRight(scale)
                        .setScale(0, RoundingMode.HALF_EVEN)
                        .max(least)
                        .min(greatest)
                        .longValueExact());
    }

    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        if (value.length != type.length()) {
            throw new MalformedValueException("an " + type.typeName() + " has " + value.length + " bytes");
        }
        return encode(type, function.apply(random, decode(type, value)));
    }

    public static long decode(ScalarType type, byte[] value) {
        return switch (type.length()) {
            case 2 -> LittleEndian.i16(value, 0);
            case 4 -> type == ScalarType.OID ? LittleEndian.u32(value, 0) : LittleEndian.i32(value, 0);
            default -> LittleEndian.i64(value, 0);
        };
    }

    public static byte[] encode(ScalarType type, long number) {
        if (number < least(DataType.of(type)) || number > greatest(DataType.of(type))) {
            throw new IllegalStateException("a masking function returned a number outside of " + type.typeName());
        }
        byte[] bytes = new byte[type.length()];
        switch (type.length()) {
            case 2 -> LittleEndian.put16(bytes, 0, (int) number);
            case 4 -> LittleEndian.put32(bytes, 0, (int) number);
            default -> LittleEndian.put64(bytes, 0, number);
        }
        return bytes;
    }

    /** The least value of an integer type; 0 for others. */
    public static long least(DataType type) {
        return switch (type) {
            case DataType.Scalar(ScalarType scalar) when scalar == ScalarType.INT2 -> Short.MIN_VALUE;
            case DataType.Scalar(ScalarType scalar) when scalar == ScalarType.INT4 -> Integer.MIN_VALUE;
            case DataType.Scalar(ScalarType scalar)
            when scalar == ScalarType.INT8 || scalar == ScalarType.MONEY -> Long.MIN_VALUE;
            default -> 0;
        };
    }

    /** The greatest value of an integer type; 0 for others. */
    public static long greatest(DataType type) {
        return switch (type) {
            case DataType.Scalar(ScalarType scalar) when scalar == ScalarType.INT2 -> Short.MAX_VALUE;
            case DataType.Scalar(ScalarType scalar) when scalar == ScalarType.INT4 -> Integer.MAX_VALUE;
            case DataType.Scalar(ScalarType scalar) when scalar == ScalarType.OID -> 0xFFFF_FFFFL;
            case DataType.Scalar(ScalarType scalar)
            when scalar == ScalarType.INT8 || scalar == ScalarType.MONEY -> Long.MAX_VALUE;
            default -> 0;
        };
    }

    @Override
    public byte[] blank() {
        return new byte[type.length()];
    }
}
