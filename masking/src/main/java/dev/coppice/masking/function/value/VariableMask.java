package dev.coppice.masking.function.value;

import dev.coppice.masking.crypto.PseudoRandom;

/** A function on a variable-length type whose {@link #blank} takes the place of what cannot be read or does not fit. */
public interface VariableMask extends ValueMask {
    @Override
    byte[] blank();

    @Override
    default byte[] substitute(PseudoRandom random, byte[] identity) {
        return blank();
    }

    @Override
    default byte[] shorten(byte[] masked, int capacity) {
        return blank();
    }
}
