package dev.coppice.server;

import dev.coppice.common.config.ConfigurationException;
import dev.coppice.common.config.ConfigurationLoader;
import dev.coppice.common.config.CoppiceConfiguration;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The server's command line: {@code [--data DIR] [--config FILE] [--print-secrets]}, the former also as {@code --data=DIR}. */
final class ServerOptions {
    private static final String PRINT_SECRETS = "--print-secrets";

    /** Set by the launcher for its option. */
    private static final String PRINT_SECRETS_VARIABLE = "COPPICE_PRINT_SECRETS";

    private ServerOptions() {}

    /**
     * The configuration in force: options over environment over file over defaults. All paths in it are absolute and
     * the data directory is always present.
     *
     * @throws ConfigurationException for the person who started the server
     */
    static CoppiceConfiguration read(List<String> arguments, Map<String, String> environment) {
        Map<String, String> overridden = new HashMap<>(environment);
        Path file = null;
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (argument.equals(PRINT_SECRETS)) {
                continue;
            }
            if (!name.equals("--data") && !name.equals("--config")) {
                throw new ConfigurationException("unknown option \"" + argument
                        + "\": there are --data DIR, --config FILE and " + PRINT_SECRETS);
            }
            String value = equals >= 0 ? argument.substring(equals + 1) : following(arguments, ++i);
            if (value == null || value.isBlank()) {
                throw new ConfigurationException(name + " needs a value");
            }
            if (name.equals("--data")) {
                overridden.put("COPPICE_DATA_DIR", value);
            } else {
                file = Path.of(value);
            }
        }
        return ConfigurationLoader.load(Optional.ofNullable(file), overridden);
    }

    /** Whether the password and the API key may be printed although nobody may be looking, but a log may. */
    static boolean printSecrets(List<String> arguments, Map<String, String> environment) {
        return arguments.contains(PRINT_SECRETS) || "true".equals(environment.get(PRINT_SECRETS_VARIABLE));
    }

    private static @Nullable String following(List<String> arguments, int index) {
        return index < arguments.size() ? arguments.get(index) : null;
    }
}
