package dev.coppice.cli.command;

import static dev.coppice.cli.api.ApiClient.encode;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Times;
import java.time.Instant;
import java.util.Locale;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/**
 * A point in a branch's history as people type it.
 *
 * @param kind {@code lsn} or {@code timestamp}, as names of API fields and connection options end
 * @param text in the API's form
 */
public record PointInTime(String kind, String text) {
    private static final Pattern LSN = Pattern.compile("[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}");

    /** @param where what took the text, for the message when it is neither an LSN nor a time */
    public static PointInTime parse(String text, String where) {
        if (LSN.matcher(text).matches()) {
            return new PointInTime("lsn", text.toUpperCase(Locale.ROOT));
        }
        return Times.past(text, Instant.now())
                .map(time -> new PointInTime("timestamp", time.toString()))
                .orElseThrow(() -> new CliException(
                        CliException.USAGE,
                        "not a point in history: \"" + text + "\"",
                        where
                                + " takes an LSN like 0/16B3748, a time with its zone like 2026-11-21T09:30:00Z, or one like"
                                + " \"10m ago\""));
    }

    /** Adds the API field {@code <prefix>_lsn} or {@code <prefix>_timestamp}. */
    public void put(ObjectNode body, String prefix) {
        body.put(prefix + "_" + kind, text);
    }

    /** The connection string that shows this moment instead of the present. */
    String in(String connectionString) {
        String option = encode("neon_" + kind + ":" + text);
        int options = connectionString.indexOf("options=");
        if (options < 0) {
            return connectionString + (connectionString.indexOf('?') < 0 ? "?" : "&") + "options=" + option;
        }
        int end = connectionString.indexOf('&', options);
        int at = end < 0 ? connectionString.length() : end;
        return connectionString.substring(0, at) + "%20" + option + connectionString.substring(at);
    }
}
