package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.PgNumeric;
import dev.coppice.masking.function.value.VariableMask;
import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/**
 * A function on numeric. NaN and the infinities stay.
 *
 * @param bound what a result's magnitude must be below, null for no bound
 */
public record NumericMask(@Nullable BigDecimal bound, NumberFunction function) implements VariableMask {
    private static final int NO_MODIFIER = -1;
    private static final int HEADER = 4;
    /** Results get no more digits than any column has: memory stays bounded. */
    private static final int MAX_DIGITS = 200_000;

    public static NumericMask of(int typeModifier, NumberFunction function) {
        if (typeModifier <= NO_MODIFIER + HEADER) {
            return new NumericMask(null, function);
        }
        int precision = typeModifier - HEADER >> 16 & 0xFFFF;
        int scale = (typeModifier - HEADER & 0x7FF ^ 0x400) - 0x400;
        return new NumericMask(BigDecimal.ONE.scaleByPowerOfTen(precision - scale), function);
    }

    @Override
    public byte[] mask(PseudoRandom random, byte[] value) {
        BigDecimal number = PgNumeric.decode(value);
        if (number == null) {
            return value.clone();
        }
        BigDecimal masked = function.apply(random, number);
        if (masked.precision() - (long) masked.scale() > MAX_DIGITS) {
            return blank();
        }
        masked = masked.setScale(number.scale(), RoundingMode.HALF_EVEN);
        if (bound != null && masked.abs().compareTo(bound) >= 0) {
            BigDecimal most = bound.subtract(BigDecimal.ONE.movePointLeft(number.scale()));
            masked = (masked.signum() < 0 ? most.negate() : most).setScale(number.scale(), RoundingMode.DOWN);
        }
        return PgNumeric.encode(masked, value.length);
    }

    @Override
    public byte[] blank() {
        return PgNumeric.encode(BigDecimal.ZERO);
    }
}
