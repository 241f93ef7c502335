package dev.coppice.cli.command.compute;

import dev.coppice.cli.api.ApiClient;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a connection string is written, for different programs. */
enum ConnectionFormat {
    /** As libpq and most drivers take it. */
    uri {
        @Override
        String of(Parts parts) {
            return parts.text;
        }
    },
    /** For pgjdbc, with user and password. */
    jdbc {
        @Override
        String of(Parts parts) {
            return parts.jdbc() + (parts.query.isEmpty() ? "?" : "&") + "user=" + parts.encoded(parts.user)
                    + "&password=" + parts.encoded(parts.password);
        }
    },
    /** A command line. */
    psql {
        @Override
        String of(Parts parts) {
            return "psql " + quoted(parts.text);
        }
    },
    /** For a shell: {@code eval "$(coppice connection-string --format env)"}. */
    env {
        @Override
        String of(Parts parts) {
            String options = parts.option("options");
            return "export PGHOST=" + quoted(parts.host) + " PGPORT=" + parts.port + " PGDATABASE="
                    + quoted(parts.database)
                    + " PGUSER=" + quoted(parts.user) + " PGPASSWORD=" + quoted(parts.password)
                    + (options.isEmpty() ? "" : " PGOPTIONS=" + quoted(options));
        }
    },
    /** Lines of application.properties. */
    spring {
        @Override
        String of(Parts parts) {
            return "spring.datasource.url=" + property(parts.jdbc()) + "\nspring.datasource.username="
                    + property(parts.user) + "\nspring.datasource.password=" + property(parts.password);
        }
    },
    /** A line of .env. */
    prisma {
        @Override
        String of(Parts parts) {
            return "DATABASE_URL=\"" + parts.text + "\"";
        }
    };

    abstract String of(Parts parts);

    /** Writes a connection string of the API in this form. */
    String of(String connectionString) {
        return of(new Parts(connectionString));
    }

    /** For a POSIX shell. */
    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }

    /** A value of a properties file. */
    private static String property(String text) {
        return text.replace("\\", "\\\\");
    }

    /** A connection string taken apart; names and password decoded, the query as it stands. */
    static final class Parts {
        private final String text;
        private final String user;
        private final String password;
        private final String host;
        private final int port;
        private final String database;
        private final String query;

        Parts(String text) {
            this.text = text;
            URI uri = URI.create(text);
            String login = Objects.requireNonNullElse(uri.getRawUserInfo(), "");
            int colon = login.indexOf(':');
            this.user = decoded(colon < 0 ? login : login.substring(0, colon));
            this.password = colon < 0 ? "" : decoded(login.substring(colon + 1));
            this.host = Objects.requireNonNullElse(uri.getHost(), "");
            this.port = uri.getPort();
            String path = Objects.requireNonNullElse(uri.getRawPath(), "");
            this.database = decoded(path.startsWith("/") ? path.substring(1) : path);
            this.query = Objects.requireNonNullElse(uri.getRawQuery(), "");
        }

        private String jdbc() {
            return "jdbc:postgresql://" + host + ":" + port + "/" + encoded(database)
                    + (query.isEmpty() ? "" : "?" + query);
        }

        private String encoded(String value) {
            return ApiClient.encode(value);
        }

        private String option(String name) {
            for (String pair : query.split("&", -1)) {
                if (pair.startsWith(name + "=")) {
                    return decoded(pair.substring(name.length() + 1));
                }
            }
            return "";
        }

        private static String decoded(@Nullable String encoded) {
            // A plus is a plus there, not a blank.
            return encoded == null ? "" : URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
        }
    }
}
