package dev.coppice.masking.function.text;

/** Text that says nothing. */
final class Filler {
    /** Short, so that it compresses into the room of almost any compressed original. */
    private static final String LOREM = "lorem ipsum ";

    private Filler() {}

    /** {@code length} characters that begin with {@code start}. */
    static String after(String start, int length) {
        StringBuilder text = new StringBuilder(length + LOREM.length());
        text.append(start, 0, Math.min(start.length(), length)).append(' ');
        while (text.length() < length) {
            text.append(LOREM);
        }
        text.setLength(length);
        return text.toString();
    }

    /** {@code length} characters. */
    static String of(int length) {
        return after(LOREM.strip(), length);
    }
}
