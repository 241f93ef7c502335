package dev.coppice.cli.output;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times and durations as people type them. One spelling everywhere: {@code 30s}, {@code 5m}, {@code 2h}, {@code 7d}, {@code 1d12h}. */
public final class Times {
    /** For descriptions of options. */
    public static final String DURATION = "like 30s, 5m, 2h or 7d; a number alone is seconds";

    private static final Pattern PART = Pattern.compile("(\\d{1,9})(?!\\d)\\s*([a-z]*)\\s*");
    private static final Pattern AGO = Pattern.compile("(?:-\\s*(.+)|(.+?)\\s+ago)");
    private static final Pattern AHEAD = Pattern.compile("(?:in\\s+|\\+\\s*)?(.+)");
    private static final long MINUTE = 60;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    private Times() {}

    /** @param option what took the text, for the message */
    static Duration duration(String text, String option) {
        return parse(text)
                .orElseThrow(() -> new CliException(
                        CliException.USAGE, option + ": \"" + text + "\" is no duration", "write it " + DURATION));
    }

    /** As {@link #duration}, in seconds; the API's numbers hold no more. */
    public static int seconds(String text, String option) {
        long seconds = duration(text, option).toSeconds();
        if (seconds > Integer.MAX_VALUE) {
            throw new CliException(CliException.USAGE, option + ": \"" + text + "\" is too long", null);
        }
        return (int) seconds;
    }

    /** A suspend time-out as the API has it: -1 for never, 0 for the default. */
    public static int suspendSeconds(String text, String option) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "never", "-1" -> -1;
            case "default" -> 0;
            default -> seconds(text, option);
        };
    }

    /** A time to come, as the API takes it: RFC 3339, or how long from now. */
    public static String ahead(String text, String option, Instant now) {
        Matcher matcher = AHEAD.matcher(text.strip().toLowerCase(Locale.ROOT));
        Optional<Instant> time = exact(text);
        if (time.isEmpty() && matcher.matches()) {
            time = parse(matcher.group(1)).map(now::plus);
        }
        return time.orElseThrow(() -> new CliException(
                        CliException.USAGE,
                        option + ": \"" + text + "\" is no time",
                        "write how long from now, like 2h or 7d, or a time with its zone like 2026-11-28T00:00:00Z"))
                .toString();
    }

    /** A past time: RFC 3339, or how long ago ({@code 10m ago}, {@code -10m}); empty for anything else. */
    public static Optional<Instant> past(String text, Instant now) {
        Optional<Instant> exact = exact(text);
        if (exact.isPresent()) {
            return exact;
        }
        Matcher matcher = AGO.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            return Optional.empty();
        }
        return parse(matcher.group(1) != null ? matcher.group(1) : matcher.group(2))
                .map(now::minus);
    }

    private static Optional<Instant> exact(String text) {
        try {
            return Optional.of(OffsetDateTime.parse(text.strip()).toInstant());
        } catch (DateTimeException notExact) {
            return Optional.empty();
        }
    }

    private static Optional<Duration> parse(String text) {
        String rest = text.strip().toLowerCase(Locale.ROOT);
        Matcher matcher = PART.matcher(rest);
        long seconds = 0;
        int at = 0;
        while (at < rest.length() && matcher.find() && matcher.start() == at) {
            long unit = unit(matcher.group(2));
            if (unit < 0) {
                return Optional.empty();
            }
            seconds += Long.parseLong(matcher.group(1)) * unit;
            at = matcher.end();
        }
        return at == 0 || at < rest.length() ? Optional.empty() : Optional.of(Duration.ofSeconds(seconds));
    }

    /** In seconds; negative for what is no unit. */
    private static long unit(String name) {
        return switch (name) {
            case "", "s", "sec", "secs", "second", "seconds" -> 1;
            case "m", "min", "mins", "minute", "minutes" -> MINUTE;
            case "h", "hr", "hour", "hours" -> HOUR;
            case "d", "day", "days" -> DAY;
            case "w", "week", "weeks" -> 7 * DAY;
            default -> -1;
        };
    }

    /** Seconds in the same spelling: {@code 1d12h}. */
    public static String text(long seconds) {
        StringBuilder text = new StringBuilder();
        long rest = seconds;
        long[] units = {DAY, HOUR, MINUTE, 1};
        String[] names = {"d", "h", "m", "s"};
        for (int i = 0; i < units.length; i++) {
            if (rest >= units[i]) {
                text.append(rest / units[i]).append(names[i]);
                rest %= units[i];
            }
        }
        return text.isEmpty() ? "0s" : text.toString();
    }
}
