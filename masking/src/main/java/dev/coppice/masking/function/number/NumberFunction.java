package dev.coppice.masking.function.number;

import dev.coppice.masking.crypto.PseudoRandom;
import java.math.BigDecimal;

/** What a function makes of a number of any numeric type. Equal numbers of different scale must give equal results. */
public interface NumberFunction {
    /** The masked number; it will be rounded and limited to what the column's type can hold. */
    BigDecimal apply(PseudoRandom random, BigDecimal value);
}
