package dev.coppice.masking.function.json;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.function.number.NumericMask;
import dev.coppice.masking.function.text.TextMask;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the leaves of a JSON document under a function: strings and numbers are masked as text and numeric are, where the function
 * has no meaning for one of them it is blanked; true and false become null.
 *
 * @param text for strings, or null to blank them
 * @param number for numbers, or null to blank them
 */
public record JsonLeaves(@Nullable TextMask text, @Nullable NumericMask number) {
    byte[] string(PseudoRandom random, byte[] utf8) {
        return text == null ? new byte[0] : text.mask(random, utf8);
    }

    byte[] numeric(PseudoRandom random, byte[] payload) {
        return number == null
                ? dev.coppice.masking.format.PgNumeric.encode(java.math.BigDecimal.ZERO)
                : number.mask(random, payload);
    }
}
