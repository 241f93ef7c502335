package dev.coppice.cli.output;

/**
 * Text of others as it may reach a terminal: what would move the cursor, change colours or the direction of what follows is written
 * out, as {@code \}{@code u001b}.
 */
public final class Visible {
    private Visible() {}

    /** For one cell or one line: line breaks and tabs are written out too. */
    static String cell(String text) {
        return escaped(text, false);
    }

    /** For what has lines of its own. */
    public static String lines(String text) {
        return escaped(text, true);
    }

    private static String escaped(String text, boolean layout) {
        StringBuilder escaped = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean plain = !isHidden(c) || (layout && (c == '\n' || c == '\t'));
            if (!plain && escaped == null) {
                escaped = new StringBuilder(text.length() + 16).append(text, 0, i);
            }
            if (escaped != null) {
                if (plain) {
                    escaped.append(c);
                } else {
                    escaped.append("\\u").append(hex(c));
                }
            }
        }
        return escaped == null ? text : escaped.toString();
    }

    private static String hex(char c) {
        String digits = Integer.toHexString(c);
        return "0".repeat(4 - digits.length()) + digits;
    }

    /** Control characters, and those that set the direction of text or end a line. */
    private static boolean isHidden(char c) {
        return Character.isISOControl(c)
                || c == '\u061c'
                || (c >= '\u200e' && c <= '\u200f')
                || (c >= '\u2028' && c <= '\u202e')
                || (c >= '\u2066' && c <= '\u2069')
                || c == '\ufeff';
    }
}
