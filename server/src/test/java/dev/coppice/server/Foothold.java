package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * A connection string and what a person makes of it: SQL, programs of the compute's host by {@code COPY ... FROM PROGRAM}, and native code that was
 * loaded into Postgres. What is refused comes back as a text that begins with {@value #REFUSED}. Not for several threads.
 */
final class Foothold implements AutoCloseable {
    static final String REFUSED = "refused: ";

    private final String uri;
    private final String endpoint;
    private final Promotion promotion;
    private @Nullable Connection connection;
    private boolean loaded;

    /** Makes the owner of a running compute a superuser, where the server itself does not: what a fault of Postgres would give him. */
    @FunctionalInterface
    interface Promotion {
        void of(Foothold foothold) throws SQLException;
    }

    /** @param uri of a branch, in the form of {@code coppice connection-string} */
    Foothold(String uri, Promotion promotion) {
        this.uri = uri;
        this.promotion = promotion;
        this.endpoint = uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
    }

    String endpoint() {
        return endpoint;
    }

    String uri() {
        return uri;
    }

    /** Connects, and so wakes the branch. A connection that was lost is made again. */
    Connection connection() throws SQLException {
        Connection open = connection;
        if (open == null || !open.isValid(10)) {
            disconnect();
            open = DriverManager.getConnection("jdbc:" + uri.replaceFirst("//[^@]*@", "//"), properties());
            connection = open;
            loaded = false;
            if (sql("SHOW is_superuser").equals("off")) {
                promotion.of(this);
                return connection();
            }
        }
        return open;
    }

    private Properties properties() {
        String[] login = uri.replaceFirst(".*//([^@]*)@.*", "$1").split(":", 2);
        Properties properties = new Properties();
        properties.setProperty("user", login[0]);
        properties.setProperty("password", login[1]);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("connectTimeout", "60");
        properties.setProperty("socketTimeout", "60");
        return properties;
    }

    /** Statements, each for itself; the first column of the last one's first row, or why it was refused. */
    String sql(String... statements) throws SQLException {
        String answer = "";
        Connection open = connection();
        try (Statement statement = open.createStatement()) {
            for (String each : statements) {
                answer = statement.execute(each) ? first(statement) : "";
            }
            return answer;
        } catch (SQLException e) {
            return REFUSED + e.getMessage();
        }
    }

    /** As {@link #sql}, of a branch that may be ruined. */
    void sqlIfItWakes(String statement) {
        try {
            sql(statement);
        } catch (SQLException e) {
            // It does not start any more: its own affair.
        }
    }

    private static String first(Statement statement) throws SQLException {
        try (ResultSet rows = statement.getResultSet()) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }

    /** What a shell command of the compute says, errors included. */
    String program(String command) throws SQLException {
        String text = "{ " + command + " ; } 2>&1 | head -c 60000 | base64 -w0";
        String said = sql(
                "CREATE TEMP TABLE IF NOT EXISTS said (line text)",
                "TRUNCATE said",
                "COPY said FROM PROGRAM " + literal(text),
                "SELECT string_agg(line, '') FROM said");
        return said.startsWith(REFUSED) || said.equals("null")
                ? said
                : new String(Base64.getDecoder().decode(said), StandardCharsets.UTF_8);
    }

    /** What the native library answers: see {@code attack.c}. */
    String call(String operation, Object... arguments) throws SQLException, IOException {
        StringBuilder request = new StringBuilder(operation);
        for (Object argument : arguments) {
            request.append('\n').append(argument);
        }
        connection();
        if (!loaded) {
            load();
        }
        return sql("SELECT pg_temp.attack(" + literal(request.toString()) + "::cstring)::text");
    }

    /** Whether the native library was let do it. */
    boolean does(String operation, Object... arguments) throws SQLException, IOException {
        String said = call(operation, arguments);
        assertThat(said).as(operation).doesNotContain("unknown operation");
        return said.startsWith("ok");
    }

    /** Brings the library by SQL alone, and makes a function of it. */
    private void load() throws SQLException, IOException {
        Connection open = connection();
        // A name of its own: the file of another session is in use.
        String file = sql("SHOW data_directory") + "/attack-" + System.nanoTime() + ".so";
        try (PreparedStatement statement = open.prepareStatement("SELECT lo_from_bytea(0, ?)")) {
            statement.setBytes(1, Files.readAllBytes(AttackLibrary.file(sql("SHOW server_version_num"))));
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                String object = rows.getString(1);
                sql("SELECT lo_export(" + object + ", '" + file + "')", "SELECT lo_unlink(" + object + ")");
            }
        }
        String made = sql("CREATE FUNCTION pg_temp.attack(cstring) RETURNS cstring STRICT LANGUAGE c AS '" + file
                + "', 'attack'");
        assertThat(made).as("native code must run, or nothing is shown").isEmpty();
        loaded = true;
    }

    /** Forgets the connection: what the branch does next it does without it. */
    void disconnect() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                // It was lost.
            }
        }
    }

    /** The attacker's own directory. */
    Path dataDirectory() throws SQLException {
        return Path.of(sql("SHOW data_directory"));
    }

    static String literal(String text) {
        String quoted = "'" + text.replace("'", "''") + "'";
        return text.contains("\\") ? "E" + quoted.replace("\\", "\\\\") : quoted;
    }

    @Override
    public void close() {
        disconnect();
    }

    /** Of several files those that native code can open in a way. */
    List<Path> opened(List<Path> files, String operation, Object... more) throws SQLException, IOException {
        List<Path> open = new java.util.ArrayList<>();
        for (Path file : files) {
            Object[] arguments = new Object[1 + more.length];
            arguments[0] = file;
            System.arraycopy(more, 0, arguments, 1, more.length);
            if (does(operation, arguments)) {
                open.add(file);
            }
        }
        return open;
    }
}
