package dev.coppice.common;

import java.util.regex.Pattern;

/** Names a timeline: 1 to 36 characters of {@code a-z}, {@code 0-9} and {@code -}; also its directory's name. */
public record TimelineId(String value) implements Comparable<TimelineId> {
    /** The longest identifier, in characters: the room a journal header has for it. */
    public static final int MAX_LENGTH = 36;

    private static final Pattern TEXT = Pattern.compile("[a-z0-9-]{1," + MAX_LENGTH + "}");

    /** @throws IllegalArgumentException naming the text, when it has another form */
    public TimelineId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("not a timeline id: \"" + value + "\" (expected 1 to " + MAX_LENGTH
                    + " characters of a-z, 0-9 and -)");
        }
    }

    /** Whether a text has the form of one. */
    public static boolean isValid(String text) {
        return TEXT.matcher(text).matches();
    }

    @Override
    public int compareTo(TimelineId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
