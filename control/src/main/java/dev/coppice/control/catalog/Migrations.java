package dev.coppice.control.catalog;

import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the catalog's schema to the version of this program: numbered scripts, applied in order, each in a transaction
 * together with the record of its version. A script that has been released is never changed; a new one is added. An
 * advisory lock makes concurrent starts wait for each other.
 */
final class Migrations {
    /** The scripts; the position in the list, from 1, is the schema version that a script leads to. */
    static final List<String> SCRIPTS = List.of(
            "001_initial.sql",
            "002_restore.sql",
            "003_api.sql",
            "004_workflows.sql",
            "005_masking.sql",
            "006_rule_sets.sql",
            "007_endpoints_by_branch.sql",
            "008_key_scope.sql",
            "009_role_masking.sql",
            "011_consumption_batches.sql",
            "012_timeline_masking.sql",
            "013_console_sessions.sql");

    private static final Logger log = LoggerFactory.getLogger(Migrations.class);
    private static final long ADVISORY_LOCK = 0x636f_7070_6963_65L;

    private final List<String> scripts;

    Migrations(List<String> scripts) {
        this.scripts = scripts;
    }

    /**
     * Applies what is missing. {@code connection} must not be in auto-commit mode.
     *
     * @throws ControlException when the schema was made by a newer program
     */
    void apply(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(" + ADVISORY_LOCK + ")");
            statement.execute("""
                    CREATE TABLE IF NOT EXISTS schema_version (
                        version integer PRIMARY KEY, script text NOT NULL,
                        applied_at timestamptz NOT NULL DEFAULT now())""");
            connection.commit();
            try {
                int version = version(statement);
                if (version > scripts.size()) {
                    throw new ControlException(
                            ControlException.Kind.INTERNAL,
                            "the catalog has schema version " + version + ", and this Coppice knows versions up to "
                                    + scripts.size() + ": it was written by a newer Coppice; run that one");
                }
                for (int next = version + 1; next <= scripts.size(); next++) {
                    applyOne(connection, statement, next);
                }
            } finally {
                connection.rollback();
                statement.execute("SELECT pg_advisory_unlock(" + ADVISORY_LOCK + ")");
                connection.commit();
            }
        }
    }

    private void applyOne(Connection connection, Statement statement, int version) throws SQLException {
        String script = scripts.get(version - 1);
        statement.execute(read(script));
        try (PreparedStatement record =
                connection.prepareStatement("INSERT INTO schema_version (version, script) VALUES (?, ?)")) {
            record.setInt(1, version);
            record.setString(2, script);
            record.executeUpdate();
        }
        connection.commit();
        log.info("Catalog schema is at version {} ({})", version, script);
    }

    private static int version(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT coalesce(max(version), 0) FROM schema_version")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static String read(String script) {
        try (InputStream in = Migrations.class.getResourceAsStream(script)) {
            if (in == null) {
                throw new IllegalStateException("the program lacks its schema script " + script);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the schema script " + script, e);
        }
    }
}
