package dev.coppice.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code up} prints when everything is ready.
 *
 * @param mainConnectionString of the first project's default branch, with its password
 * @param apiKey the first API key; null when it is no longer known
 * @param dataDirectory shown; client commands must be told about it unless it is the standard one
 * @param standardDataDirectory where client commands look by themselves
 * @param startTime from the start of the process
 */
record Banner(
        String mainConnectionString,
        String apiUrl,
        @Nullable String apiKey,
        Path dataDirectory,
        Path standardDataDirectory,
        Duration startTime) {

    /** The whole text, with a line break at its end. */
    String text() {
        String client = dataDirectory.equals(standardDataDirectory)
                ? "./coppice"
                : "COPPICE_DATA_DIR=" + quoted(dataDirectory.toString()) + " ./coppice";
        String key = apiKey == null ? "as printed at the first start" : apiKey;
        return String.format(
                Locale.ROOT,
                """

                Coppice is ready after %.1f s.

                  main      %s
                  API       %s
                  API key   %s
                  data      %s

                Connect        psql "%s"
                Make a branch  %s branches create --name dev-alice
                Stop           Ctrl-C

                """,
                startTime.toMillis() / 1000.0,
                mainConnectionString,
                apiUrl,
                key,
                dataDirectory,
                mainConnectionString,
                client);
    }

    /** For a POSIX shell: as it is where that is safe, else in single quotes. */
    private static String quoted(String path) {
        return path.matches("[A-Za-z0-9/._~-]+") ? path : "'" + path.replace("'", "'\\''") + "'";
    }
}
