package dev.coppice.masking.function.value;

import dev.coppice.masking.crypto.PseudoRandom;
import org.jspecify.annotations.Nullable;

/** A masking function with its arguments, bound to the type of a column. Stateless, so threads may share it. */
public interface ValueMask {
    /** The most bytes that {@link #substitute} may return: what fits where a pointer to a TOAST table was. */
    int SUBSTITUTE_CAPACITY = 17;

    /**
     * Masks a value.
     *
     * @param value the bytes of a fixed-length value, or the payload of a variable-length one; not changed
     * @return as many bytes for a fixed-length type, at most as many for a variable-length one; null for SQL's NULL
     * @throws dev.coppice.masking.format.MalformedValueException if {@code value} is no value of the type
     */
    byte @Nullable [] mask(PseudoRandom random, byte[] value);

    /**
     * What to show for a value that is stored out of line and so cannot be read: of at most {@value #SUBSTITUTE_CAPACITY} bytes.
     *
     * @param identity which value this is; equal for no two values at one time
     */
    byte @Nullable [] substitute(PseudoRandom random, byte[] identity);

    /** A valid value of at most {@code capacity} bytes instead of a masked one that does not fit (its original was compressed). */
    byte[] shorten(byte[] masked, int capacity);

    /** What takes the place of NULL where a tuple has no room for its null bitmap; null if the type has no such value. */
    byte @Nullable [] blank();
}
