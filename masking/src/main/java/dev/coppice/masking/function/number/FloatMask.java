package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.function.value.FixedMask;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;

/** A function on float4 and float8. NaN and the infinities stay. */
public record FloatMask(ScalarType type, NumberFunction function) implements FixedMask {
    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        byte[] masked = value.clone();
        if (type == ScalarType.FLOAT4) {
            float number = Float.intBitsToFloat(LittleEndian.i32(value, 0));
            if (Float.isFinite(number)) {
                float result = function.apply(random, new BigDecimal(Float.toString(number)))
                        .floatValue();
                float limited = Math.clamp(result, -Float.MAX_VALUE, Float.MAX_VALUE);
                LittleEndian.put32(masked, 0, Float.floatToIntBits(limited));
            }
        } else {
            double number = Double.longBitsToDouble(LittleEndian.i64(value, 0));
            if (Double.isFinite(number)) {
                double result =
                        function.apply(random, BigDecimal.valueOf(number)).doubleValue();
                double limited = Math.clamp(result, -Double.MAX_VALUE, Double.MAX_VALUE);
                LittleEndian.put64(masked, 0, Double.doubleToLongBits(limited));
            }
        }
        return masked;
    }

    @Override
    public byte[] blank() {
        return new byte[type.length()];
    }
}
