package dev.coppice.common;

/**
 * Text of strangers in log lines: whatever it is, it stays one field of one line, and cannot be taken for another. Stateless.
 */
public final class LogText {
    private static final String PLAIN = "-_.:/@+,~";

    private LogText() {}

    /** As it is where it is plain, else in double quotes; empty text is {@code ""}. */
    public static String field(String text) {
        boolean plain = !text.isEmpty() && text.codePoints().allMatch(c -> PLAIN.indexOf(c) >= 0 || isPlain(c));
        return plain ? text : quoted(text);
    }

    /**
     * In double quotes. Quotes and backslashes have a backslash before them; what does not show, or moves what does (control and
     * format characters, line ends, half surrogates), is written as <code>&#92;uXXXX</code>.
     */
    public static String quoted(String text) {
        StringBuilder out = new StringBuilder(text.length() + 2).append('"');
        text.codePoints().forEach(c -> {
            if (c == '"' || c == '\\') {
                out.append('\\').append((char) c);
            } else if (shows(c)) {
                out.appendCodePoint(c);
            } else {
                for (char half : Character.toChars(c)) {
                    out.append("\\u%04X".formatted((int) half));
                }
            }
        });
        return out.append('"').toString();
    }

    private static boolean isPlain(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    private static boolean shows(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
