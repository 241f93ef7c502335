package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import dev.coppice.masking.function.value.ValueMask;

/** What a function makes of a text that is not empty. */
public interface TextFunction {
    /**
     * The masked text: of at most as many code points, and as many bytes in UTF-8, or it will be cut.
     */
    String apply(PseudoRandom random, String value);

    /** A text of 17 ASCII characters to mask instead of one that cannot be read. */
    default String stranger(RandomStream stream) {
        return letters(stream, ValueMask.SUBSTITUTE_CAPACITY);
    }

    /** Pseudo-random lower-case letters. */
    static String letters(RandomStream stream, int count) {
        StringBuilder letters = new StringBuilder(count);
        for (int i = 0; i < count; i++) {
            letters.append((char) ('a' + stream.below(26)));
        }
        return letters.toString();
    }
}
