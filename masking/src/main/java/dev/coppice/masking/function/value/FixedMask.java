package dev.coppice.masking.function.value;

import dev.coppice.masking.crypto.PseudoRandom;

/** A function on a type of fixed length, which is never stored out of line or compressed. */
public interface FixedMask extends ValueMask {
    @Override
    default byte[] substitute(PseudoRandom random, byte[] identity) {
        throw new IllegalStateException("a value of fixed length is never out of line");
    }

    @Override
    default byte[] shorten(byte[] masked, int capacity) {
        throw new IllegalStateException("a value of fixed length is never compressed");
    }
}
