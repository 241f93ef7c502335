package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import dev.coppice.masking.crypto.SymbolPermutation;
import java.nio.charset.StandardCharsets;

/**
 * A text of the same shape: each letter or digit becomes another of its {@link Alphabet}, the case and everything else stays. A
 * permutation of the texts of a shape, so distinct texts stay distinct, and {@code lower(f(x)) = f(lower(x))}.
 *
 * <p>A text of more than {@value #MAX_SYMBOLS} letters and digits becomes {@value #TOKEN_LENGTH} pseudo-random letters (112 bits)
 * and filler of the same length: filler compresses, so it fits where a compressed text was.
 */
public final class TextPseudonym implements TextFunction {
    public static final int MAX_SYMBOLS = 128;
    static final int TOKEN_LENGTH = 24;

    private static final long LONG_TEXT = PseudoRandom.label("pseudonym of a long text");

    private final long label;

    public TextPseudonym(String name) {
        this.label = PseudoRandom.label(name);
    }

    @Override
    public String apply(PseudoRandom random, String value) {
        return permute(random, label, value);
    }

    /** The pseudonym of a text under a label. */
    static String permute(PseudoRandom random, long label, String value) {
        int[] codePoints = codePoints(value);
        int[] classes = new int[codePoints.length];
        int count = 0;
        for (int i = 0; i < codePoints.length; i++) {
            classes[i] = Alphabet.classify(codePoints[i]);
            count += classes[i] == Alphabet.KEPT ? 0 : 1;
        }
        if (count > MAX_SYMBOLS) {
            return longText(random, label, value, codePoints.length);
        }
        int[] symbols = new int[count];
        int[] radixes = new int[count];
        int next = 0;
        for (int i = 0; i < codePoints.length; i++) {
            if (classes[i] != Alphabet.KEPT) {
                radixes[next] = Alphabet.radix(classes[i]);
                symbols[next++] = Alphabet.index(classes[i], codePoints[i]);
            }
        }
        SymbolPermutation.permute(random, label, symbols, radixes);
        StringBuilder result = new StringBuilder(value.length());
        next = 0;
        for (int i = 0; i < codePoints.length; i++) {
            result.appendCodePoint(
                    classes[i] == Alphabet.KEPT ? codePoints[i] : Alphabet.codePoint(classes[i], symbols[next++]));
        }
        return result.toString();
    }

    /** As the method of String, which makes a stream for each value. */
    private static int[] codePoints(String value) {
        int[] codePoints = new int[value.codePointCount(0, value.length())];
        for (int i = 0, at = 0; i < codePoints.length; i++) {
            codePoints[i] = value.codePointAt(at);
            at += Character.charCount(codePoints[i]);
        }
        return codePoints;
    }

    private static String longText(PseudoRandom random, long label, String value, int length) {
        byte[] folded = Alphabet.fold(value).getBytes(StandardCharsets.UTF_8);
        RandomStream stream = random.stream(label ^ LONG_TEXT, folded);
        return Filler.after(TextFunction.letters(stream, TOKEN_LENGTH), length);
    }
}
