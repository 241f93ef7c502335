package dev.coppice.compute;

import dev.coppice.storage.Timeline;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what {@code ALTER SYSTEM} has written; Postgres writes it in one form, a line for each setting. */
final class AlteredSettings {
    static final String FILE = "postgresql.auto.conf";

    private static final Pattern LINE = Pattern.compile("([A-Za-z_][A-Za-z0-9_.$]*) = '((?:[^']|'')*)'");

    private AlteredSettings() {}

    static Map<String, String> of(Timeline timeline) {
        return parse(timeline.readFile(FILE)
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElse(""));
    }

    /** Values by name, in lower case; lines that Postgres would not write are passed over. */
    static Map<String, String> parse(String text) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String line : text.split("\n", -1)) {
            Matcher matcher = LINE.matcher(line.strip());
            if (matcher.matches()) {
                settings.put(
                        matcher.group(1).toLowerCase(Locale.ROOT),
                        matcher.group(2).replace("''", "'"));
            }
        }
        return settings;
    }
}
