package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import dev.coppice.masking.crypto.SymbolPermutation;
import dev.coppice.masking.function.text.TextFunctions;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Functions on numbers. */
public final class NumberFunctions {
    private static final long NOISE = PseudoRandom.label("noise");
    private static final long BETWEEN = PseudoRandom.label("random_between");
    private static final long PSEUDONYM = PseudoRandom.label("pseudonym of a decimal");

    private NumberFunctions() {}

    /** Bytes that are the same for equal numbers. */
    private static byte[] canonical(BigDecimal value) {
        BigDecimal stripped = value.stripTrailingZeros();
        return TextFunctions.utf8(stripped.unscaledValue() + "e" + -stripped.scale());
    }

    /** Moves a number by up to a ratio of it, up or down; the same number always to the same. */
    public record Noise(double ratio) implements NumberFunction {
        @Override
        public BigDecimal apply(PseudoRandom random, BigDecimal value) {
            double factor =
                    1 + ratio * (2 * random.stream(NOISE, canonical(value)).fraction() - 1);
            return value.multiply(BigDecimal.valueOf(factor), MathContext.DECIMAL64);
        }
    }

    /** A number between two, both included, with so many decimals. */
    public record Between(BigDecimal least, BigDecimal greatest, int scale) implements NumberFunction {
        @Override
        public BigDecimal apply(PseudoRandom random, BigDecimal value) {
            RandomStream stream = random.stream(BETWEEN, canonical(value));
            BigInteger span =
                    greatest.subtract(least).setScale(scale, RoundingMode.DOWN).unscaledValue();
            BigInteger drawn = new BigInteger(
                            1, BigInteger.valueOf(stream.nextLong()).toByteArray())
                    .multiply(span.add(BigInteger.ONE))
                    .shiftRight(Long.SIZE);
            return least.add(new BigDecimal(drawn.min(span), scale));
        }
    }

    /** The beginning of the step that a number lies in. */
    public record Step(BigDecimal step) implements NumberFunction {
        @Override
        public BigDecimal apply(PseudoRandom random, BigDecimal value) {
            return value.divide(step, 0, RoundingMode.FLOOR).multiply(step);
        }
    }

    /** Always the same. */
    public record Constant(BigDecimal number) implements NumberFunction {
        @Override
        public BigDecimal apply(PseudoRandom random, BigDecimal value) {
            return number;
        }
    }

    /**
     * Another number with as many significant digits at the same decimal places; distinct numbers stay distinct. Neither the first nor
     * the last significant digit becomes zero, so the number has the same size on disk, whatever its scale.
     */
    public record Pseudonym() implements NumberFunction {
        @Override
        public BigDecimal apply(PseudoRandom random, BigDecimal value) {
            if (value.signum() == 0) {
                return value;
            }
            BigDecimal stripped = value.stripTrailingZeros();
            String digits = stripped.unscaledValue().abs().toString();
            int last = digits.length() - 1;
            int[] symbols = new int[digits.length()];
            int[] radixes = new int[digits.length()];
            for (int i = 0; i <= last; i++) {
                boolean nonzero = i == 0 || i == last;
                symbols[i] = digits.charAt(i) - (nonzero ? '1' : '0');
                radixes[i] = nonzero ? 9 : 10;
            }
            SymbolPermutation.permute(random, PSEUDONYM + value.signum(), symbols, radixes);
            StringBuilder masked = new StringBuilder(value.signum() < 0 ? "-" : "");
            for (int i = 0; i <= last; i++) {
                masked.append((char) (symbols[i] + (i == 0 || i == last ? '1' : '0')));
            }
            return new BigDecimal(new BigInteger(masked.toString()), stripped.scale());
        }
    }
}
