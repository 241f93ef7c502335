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

    /**
     * The whole text, with a line break at its end.
     *
     * @param secrets whether the password and the API key are in it, or how to get them
     */
    String text(boolean secrets) {
        String client = dataDirectory.equals(standardDataDirectory)
                ? "./coppice"
                : "COPPICE_DATA_DIR=" + quoted(dataDirectory.toString()) + " ./coppice";
        String main = secrets ? mainConnectionString : client + " connection-string";
        String key = secrets && apiKey != null ? apiKey : "in " + dataDirectory.resolve("cli.json");
        return String.format(
                Locale.ROOT,
                """

                Coppice is ready after %.1f s.

                  main      %s
                  API       %s
                  API key   %s
                  console   %s
                  data      %s

                Connect        %s
                Make a branch  %s branches create --name dev-alice
                In a browser   %s console
                Stop           %s

                """,
                startTime.toMillis() / 1000.0,
                main,
                apiUrl,
                key,
                apiUrl.replaceFirst("/api/v2$", "/console/"),
                dataDirectory,
                secrets ? "psql \"" + mainConnectionString + "\"" : client + " psql",
                client,
                client,
                secrets ? "Ctrl-C" : client + " stop");
    }

    /** For a POSIX shell: as it is where that is safe, else in single quotes. */
    private static String quoted(String path) {
        return path.matches("[A-Za-z0-9/._~-]+") ? path : "'" + path.replace("'", "'\\''") + "'";
    }
}
