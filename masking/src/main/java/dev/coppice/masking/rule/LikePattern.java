package dev.coppice.masking.rule;

/**
 * A LIKE pattern: % is anything, _ one character, \ makes the next one plain. A match takes at most the product of both lengths: whoever
 * declares rules must not be able to keep the page service busy for ever, as with a regular expression of many wildcards.
 */
final class LikePattern {
    private static final int ANYTHING = -1;
    private static final int ANY_CHARACTER = -2;

    /** Code points and the two above. */
    private final int[] elements;

    LikePattern(String pattern) {
        int[] letters = pattern.codePoints().toArray();
        int[] found = new int[letters.length];
        int count = 0;
        for (int i = 0; i < letters.length; i++) {
            found[count++] = switch (letters[i]) {
                case '%' -> ANYTHING;
                case '_' -> ANY_CHARACTER;
                case '\\' -> i + 1 < letters.length ? letters[++i] : '\\';
                default -> letters[i];
            };
        }
        this.elements = java.util.Arrays.copyOf(found, count);
    }

    /** Whether all of the text is what the pattern says. */
    boolean matches(String text) {
        int[] letters = text.codePoints().toArray();
        int at = 0;
        int element = 0;
        // Only the last % ever has to take more: what those before it took was the least that could be.
        int last = -1;
        int taken = 0;
        while (at < letters.length) {
            int wanted = element < elements.length ? elements[element] : Integer.MIN_VALUE;
            if (wanted == ANYTHING) {
                last = element++;
                taken = at;
            } else if (wanted == ANY_CHARACTER || wanted == letters[at]) {
                element++;
                at++;
            } else if (last >= 0) {
                element = last + 1;
                at = ++taken;
            } else {
                return false;
            }
        }
        while (element < elements.length && elements[element] == ANYTHING) {
            element++;
        }
        return element == elements.length;
    }
}
