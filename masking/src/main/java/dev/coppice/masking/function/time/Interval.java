package dev.coppice.masking.function.time;

import dev.coppice.masking.function.value.RefusedFunctionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A range as a literal of one of Postgres's range types: {@code [1,10)}. Both bounds must be given. */
public record Interval(String lower, boolean lowerIncluded, String upper, boolean upperIncluded) {
    private static final Pattern RANGE = Pattern.compile("\\s*([\\[(])\\s*([^,]+?)\\s*,\\s*([^,]+?)\\s*([\\])])\\s*");

    /** Whether a text looks like a range. */
    public static boolean is(String text) {
        return text.strip().startsWith("[") || text.strip().startsWith("(");
    }

    /** @throws RefusedFunctionException if it is none with two bounds */
    public static Interval parse(String text) {
        Matcher matcher = RANGE.matcher(text);
        if (!matcher.matches()) {
            throw new RefusedFunctionException(
                    "'" + text + "' is no range with two bounds like '[1,10)' or '[2020-01-01,2021-01-01)'");
        }
        return new Interval(
                unquoted(matcher.group(2)),
                matcher.group(1).equals("["),
                unquoted(matcher.group(3)),
                matcher.group(4).equals("]"));
    }

    private static String unquoted(String bound) {
        return bound.length() > 1 && bound.startsWith("\"") && bound.endsWith("\"")
                ? bound.substring(1, bound.length() - 1)
                : bound;
    }
}
