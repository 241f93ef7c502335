package dev.coppice.control.endpoint;

import dev.coppice.control.error.ControlException;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which Postgres settings the API takes, besides those that Coppice decides: none that names a program, or a library that is not one of the
 * installation's. Who may call the API need not be who may run programs on the host.
 */
final class AskedSettings {
    /** They name programs, or files and servers outside. */
    private static final Set<String> COMMANDS = Set.of(
            "archive_command",
            "archive_library",
            "archive_cleanup_command",
            "restore_command",
            "recovery_end_command",
            "ssl_passphrase_command",
            "dynamic_library_path",
            "extension_control_path",
            "jit_provider",
            "primary_conninfo",
            "krb_server_keyfile");

    private static final Set<String> LIBRARIES =
            Set.of("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries");

    /** A plain name is looked for among the installation's libraries, where only its administrator puts any. */
    private static final Pattern LIBRARY = Pattern.compile("\\s*(\\$libdir/)?[A-Za-z0-9_-]+\\s*");

    private AskedSettings() {}

    /** @throws ControlException UNPROCESSABLE for the first that is not taken */
    static void check(Map<String, String> settings) {
        settings.forEach((name, value) -> {
            if (COMMANDS.contains(name)) {
                throw refused(
                        name,
                        "it names what runs outside the database; only the server's configuration"
                                + " (compute.settings) may");
            }
            if (LIBRARIES.contains(name) && !value.isBlank()) {
                for (String library : value.split(",", -1)) {
                    if (!LIBRARY.matcher(library.replace("\"", "")).matches()) {
                        throw refused(
                                name,
                                "\"" + library.strip() + "\" is no plain name of a library that is installed"
                                        + " with Postgres");
                    }
                }
            }
        });
    }

    private static ControlException refused(String name, String why) {
        return new ControlException(
                ControlException.Kind.UNPROCESSABLE, "pg_settings." + name + ": is not taken: " + why);
    }
}
