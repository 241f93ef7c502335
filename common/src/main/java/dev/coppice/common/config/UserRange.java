package dev.coppice.common.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Numbers of operating system users, both ends included.
 *
 * @param first at least 1000, so that it holds no user of the system
 * @param last below 2^31
 */
public record UserRange(int first, int last) {
    /** What systemd's table of user ids leaves to nobody. */
    public static final UserRange DEFAULT = new UserRange(1_900_000_000, 1_999_999_999);

    private static final int LEAST = 1000;
    private static final Pattern TEXT = Pattern.compile("\\s*([0-9]{1,10})\\s*-\\s*([0-9]{1,10})\\s*");

    /** Checks the order. */
    public UserRange {
        if (first < LEAST || last < first || last == Integer.MAX_VALUE) {
            throw new InvalidSettingException(
                    "compute.uids",
                    "must be two numbers FIRST-LAST from " + LEAST + " to " + (Integer.MAX_VALUE - 1)
                            + ", such as 1900000000-1999999999, not " + first + "-" + last);
        }
    }

    /** Reads {@code FIRST-LAST}. */
    public static UserRange parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        long first = matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
        long last = matcher.matches() ? Long.parseLong(matcher.group(2)) : -1;
        if (first < 0 || first > Integer.MAX_VALUE || last > Integer.MAX_VALUE) {
            throw new InvalidSettingException(
                    "compute.uids",
                    "must be two numbers FIRST-LAST, such as 1900000000-1999999999, not \"" + text + "\"");
        }
        return new UserRange((int) first, (int) last);
    }
}
