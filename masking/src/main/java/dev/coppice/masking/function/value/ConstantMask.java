package dev.coppice.masking.function.value;

import dev.coppice.masking.crypto.PseudoRandom;
import org.jspecify.annotations.Nullable;

/**
 * Always the same value, whatever was there.
 *
 * @param fixed whether the type has a fixed length
 * @param value the value, or null for NULL
 * @param blank what takes its place where it does not fit; null if the type has no such value
 */
public record ConstantMask(boolean fixed, byte @Nullable [] value, byte @Nullable [] blank) implements ValueMask {
    @Override
    public byte @Nullable [] mask(PseudoRandom random, byte[] original) {
        if (value == null) {
            return null;
        }
        return fixed || value.length <= original.length ? value.clone() : fitting(original.length);
    }

    private byte[] fitting(int capacity) {
        byte[] shortest = blank;
        if (shortest == null || shortest.length > capacity) {
            throw new dev.coppice.masking.format.MalformedValueException(
                    "no constant of its type fits into " + capacity + " bytes");
        }
        return shortest.clone();
    }

    @Override
    public byte @Nullable [] substitute(PseudoRandom random, byte[] identity) {
        if (value == null) {
            return null;
        }
        return value.length <= SUBSTITUTE_CAPACITY ? value.clone() : fitting(SUBSTITUTE_CAPACITY);
    }

    @Override
    public byte[] shorten(byte[] masked, int capacity) {
        return fitting(capacity);
    }
}
