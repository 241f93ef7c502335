package dev.coppice.masking.function.text;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Classes of code points that may replace each other: all of one class have the same length in UTF-8, so a replaced text fits, and
 * no code point is in two classes. Letters of the scripts with case are pairs: the pair is replaced, the case stays.
 *
 * <p>Digits, letters of Latin, Greek and Cyrillic, CJK ideographs, kana and Hangul are each a class; ASCII and general punctuation
 * stays as it is; everything else is replaced inside its block of 64 code points. These tables are our own, since a class that
 * grew with the JDK's version of Unicode would change what values are masked to.
 */
public final class Alphabet {
    /** {@link #classify}: the code point stays as it is. */
    static final int KEPT = -1;

    private static final int DIGIT = 0;
    private static final int ASCII = 1;
    private static final int LATIN_1 = 2;
    private static final int LATIN_A = 3;
    private static final int GREEK = 4;
    private static final int CYRILLIC = 5;
    private static final int HIRAGANA = 6;
    private static final int KATAKANA = 7;
    private static final int IDEOGRAPH = 8;
    private static final int HANGUL = 9;
    private static final int BLOCK = 10;

    private static final int MULTIPLICATION_SIGN = 0xD7;
    private static final int DIVISION_SIGN = 0xF7;

    private static final int BLOCK_SIZE = 64;
    private static final int FIRST_BLOCK = 0x100;
    private static final Map<Integer, int[]> BLOCKS = new ConcurrentHashMap<>();
    private static final int CASED_LIMIT = 0x480;

    private static final int[][] LOWER = new int[BLOCK][];
    private static final int[][] UPPER = new int[BLOCK][];
    /** By code point: class, index inside it, case; 0 = in none of these. */
    private static final int[] CASED = new int[CASED_LIMIT];

    private static final int UPPER_FLAG = 1 << 30;
    private static final int INDEX_BITS = 16;

    static {
        pairs(DIGIT, range('0', '9'), 0);
        pairs(ASCII, range('a', 'z'), 'A' - 'a');
        pairs(LATIN_1, concat(range(0xE0, 0xF6), range(0xF8, 0xFE)), -0x20);
        int[] extended = concat(
                concat(step(0x101, 0x12F), step(0x133, 0x137)),
                concat(concat(step(0x13A, 0x148), step(0x14B, 0x177)), step(0x17A, 0x17E)));
        pairs(LATIN_A, extended, -1);
        pairs(GREEK, concat(range(0x3B1, 0x3C1), range(0x3C3, 0x3C9)), -0x20);
        pairs(CYRILLIC, range(0x430, 0x44F), -0x20);
        pairs(HIRAGANA, range(0x3041, 0x3096), 0);
        pairs(KATAKANA, range(0x30A1, 0x30FA), 0);
        pairs(IDEOGRAPH, range(0x4E00, 0x9FFF), 0);
        pairs(HANGUL, range(0xAC00, 0xD7A3), 0);
    }

    private Alphabet() {}

    private static int[] range(int first, int last) {
        int[] range = new int[last - first + 1];
        Arrays.setAll(range, i -> first + i);
        return range;
    }

    private static int[] step(int first, int last) {
        int[] range = new int[(last - first) / 2 + 1];
        Arrays.setAll(range, i -> first + 2 * i);
        return range;
    }

    private static int[] concat(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static void pairs(int kind, int[] lower, int distance) {
        LOWER[kind] = lower;
        UPPER[kind] = Arrays.stream(lower).map(letter -> letter + distance).toArray();
        for (int i = 0; i < lower.length && lower[i] < CASED_LIMIT; i++) {
            CASED[UPPER[kind][i]] = UPPER_FLAG | kind + 1 << INDEX_BITS | i;
            CASED[lower[i]] = kind + 1 << INDEX_BITS | i;
        }
    }

    /** The class and the case of a code point, to give to {@link #codePoint}; {@link #KEPT} if it stays. */
    static int classify(int codePoint) {
        if (codePoint < CASED_LIMIT && CASED[codePoint] != 0) {
            int entry = CASED[codePoint];
            return entry & UPPER_FLAG | (entry & ~UPPER_FLAG) >>> INDEX_BITS;
        }
        if (codePoint < 0xC0
                || codePoint == MULTIPLICATION_SIGN
                || codePoint == DIVISION_SIGN
                || codePoint >= 0x2000 && codePoint <= 0x206F
                || codePoint >= 0x3000 && codePoint <= 0x303F) {
            return KEPT;
        }
        int kind = wideKind(codePoint);
        return kind != 0 ? kind + 1 : FIRST_BLOCK + codePoint / BLOCK_SIZE;
    }

    private static int wideKind(int codePoint) {
        for (int kind = HIRAGANA; kind < BLOCK; kind++) {
            int[] members = LOWER[kind];
            if (codePoint >= members[0] && codePoint <= members[members.length - 1]) {
                return kind;
            }
        }
        return 0;
    }

    /** How many values the class has. */
    static int radix(int classified) {
        int kind = classified & ~UPPER_FLAG;
        return kind <= BLOCK ? LOWER[kind - 1].length : blockMembers(kind - FIRST_BLOCK).length;
    }

    /** Which of its class a code point is. */
    static int index(int classified, int codePoint) {
        int kind = classified & ~UPPER_FLAG;
        if (kind > BLOCK) {
            return Arrays.binarySearch(blockMembers(kind - FIRST_BLOCK), codePoint);
        }
        return codePoint < CASED_LIMIT ? CASED[codePoint] & (1 << INDEX_BITS) - 1 : codePoint - LOWER[kind - 1][0];
    }

    /** The member of a class with an index, in the class's case. */
    static int codePoint(int classified, int index) {
        int kind = classified & ~UPPER_FLAG;
        if (kind > BLOCK) {
            return blockMembers(kind - FIRST_BLOCK)[index];
        }
        return ((classified & UPPER_FLAG) != 0 ? UPPER : LOWER)[kind - 1][index];
    }

    /** The code points of a block that are in no other class. */
    private static int[] blockMembers(int block) {
        return BLOCKS.computeIfAbsent(
                block,
                number -> Arrays.stream(range(number * BLOCK_SIZE, (number + 1) * BLOCK_SIZE - 1))
                        .filter(codePoint -> classify(codePoint) == FIRST_BLOCK + number)
                        .toArray());
    }

    /** The text in lower case, as far as the classes know case. */
    public static String fold(String text) {
        StringBuilder folded = null;
        for (int i = 0; i < text.length(); i++) {
            // Letters with case are single chars.
            char letter = text.charAt(i);
            if (letter < CASED_LIMIT && (CASED[letter] & UPPER_FLAG) != 0) {
                folded = folded == null ? new StringBuilder(text) : folded;
                int kind = classify(letter) & ~UPPER_FLAG;
                folded.setCharAt(i, (char) codePoint(kind, index(kind, letter)));
            }
        }
        return folded == null ? text : folded.toString();
    }

    /** Whether a text has a small letter, as far as the classes know case. */
    static boolean hasSmallLetter(String text) {
        return text.codePoints()
                .anyMatch(codePoint -> codePoint < CASED_LIMIT
                        && codePoint >= 'a'
                        && CASED[codePoint] != 0
                        && (CASED[codePoint] & UPPER_FLAG) == 0);
    }
}
