package dev.coppice.control.sql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Removes every row that a user has stored from all databases of a compute, and says which files are left. What is removed
 * goes with its file ({@code TRUNCATE}, {@code VACUUM FULL}): the bytes are not in the files that are named here.
 *
 * <p>It runs with all triggers off, also those that are enabled {@code ALWAYS}, since one would run as the superuser that works here; and it looks at
 * the result afterwards.
 */
public final class DataRemoval {
    /** Tables in one statement; each takes a few locks. */
    private static final int TABLES_AT_ONCE = 200;

    /** Below it are the objects that initdb made. */
    private static final int FIRST_USER_OID = 16_384;

    /** Nothing of the user's may run or stop this. */
    private static final List<String> SESSION =
            List.of("SET session_replication_role = replica", "SET allow_system_table_mods = on");

    /** System tables that hold users' values or samples of them. */
    private static final List<String> SYSTEM_TABLES =
            List.of("pg_largeobject", "pg_largeobject_metadata", "pg_statistic", "pg_statistic_ext_data");

    private static final String ENABLE = "ENABLE (ALWAYS|REPLICA)";

    /** Statements that enable those triggers again that fire in spite of the session's replication role. */
    private static final String UNSTOPPABLE_TRIGGERS =
            "SELECT format('ALTER TABLE ONLY %I.%I %s TRIGGER %I', n.nspname, c.relname,"
                    + " CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, t.tgname)"
                    + " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                    + " WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') ORDER BY t.oid";

    private DataRemoval() {}

    /**
     * What is left.
     *
     * @param databases their oids: the directories below {@code base}
     * @param files first segments of the main forks of everything that has storage, relative to the data directory
     * @param empty those of them that must have no bytes
     */
    public record Remains(Set<String> databases, Set<String> files, Set<String> empty) {
        /** Whether a file or directory of the data directory is one of what is left. */
        public boolean contains(String path) {
            if (path.equals("base") || path.equals("global") || path.matches("base/[0-9]+")) {
                return !path.startsWith("base/") || databases.contains(path.substring("base/".length()));
            }
            if (path.startsWith("base/") || path.startsWith("global/")) {
                String name = path.substring(path.lastIndexOf('/') + 1);
                String directory = path.substring(0, path.lastIndexOf('/'));
                boolean known = directory.equals("global") || contains(directory);
                return known
                        && (Set.of("PG_VERSION", "pg_filenode.map", "pg_control")
                                        .contains(name)
                                || files.contains(directory + '/' + name.replaceAll("[_.].*", "")));
            }
            return path.matches("PG_VERSION|postgresql\\.auto\\.conf")
                    || path.matches("(pg_xact|pg_commit_ts|pg_multixact/(members|offsets))(/[0-9A-F]+)?")
                    // The other directories are there, and empty.
                    || path.matches("pg_[a-z_]+|pg_logical/(snapshots|mappings)");
        }
    }

    /** Opens connections of {@link AdminConnection}; who called closes them. */
    @FunctionalInterface
    public interface Databases {
        Connection open(String database) throws SQLException;
    }

    /** Works on all databases of a compute that nobody else may use. */
    public static Remains run(Databases opener) throws SQLException {
        Remains remains = new Remains(new HashSet<>(), new HashSet<>(), new HashSet<>());
        List<String> closed;
        try (Connection connection = prepared(opener, AdminConnection.MAINTENANCE_DATABASE)) {
            // Left by a DROP DATABASE that was interrupted; nobody can ever open it.
            for (String invalid : names(connection, "SELECT datname FROM pg_database WHERE datconnlimit = -2")) {
                execute(connection, "DROP DATABASE " + ComputeSql.identifier(invalid));
            }
            closed = names(connection, "SELECT datname FROM pg_database WHERE NOT datallowconn");
            for (String database : closed) {
                execute(connection, "ALTER DATABASE " + ComputeSql.identifier(database) + " ALLOW_CONNECTIONS true");
            }
            remains.databases().addAll(names(connection, "SELECT oid::text FROM pg_database"));
        }
        for (String database : databases(opener)) {
            try (Connection connection = prepared(opener, database)) {
                empty(connection);
                note(connection, remains);
            }
        }
        try (Connection connection = prepared(opener, AdminConnection.MAINTENANCE_DATABASE)) {
            for (String database : closed) {
                execute(connection, "ALTER DATABASE " + ComputeSql.identifier(database) + " ALLOW_CONNECTIONS false");
            }
            execute(connection, "CHECKPOINT");
            // The shutdown is to be alone in its segment.
            names(connection, "SELECT pg_switch_wal()::text");
        }
        return remains;
    }

    private static List<String> databases(Databases opener) throws SQLException {
        try (Connection connection = prepared(opener, AdminConnection.MAINTENANCE_DATABASE)) {
            return names(connection, "SELECT datname FROM pg_database ORDER BY oid");
        }
    }

    private static Connection prepared(Databases opener, String database) throws SQLException {
        Connection connection = opener.open(database);
        try {
            for (String setting : SESSION) {
                execute(connection, setting);
            }
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private static void empty(Connection connection) throws SQLException {
        for (String transaction : names(
                connection, "SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE database = current_database()")) {
            execute(connection, "ROLLBACK PREPARED " + transaction);
        }
        List<String> triggers = names(connection, UNSTOPPABLE_TRIGGERS);
        for (String trigger : triggers) {
            execute(connection, trigger.replaceFirst(ENABLE, "DISABLE"));
        }
        List<String> tables = relations(connection, "r");
        for (int from = 0; from < tables.size(); from += TABLES_AT_ONCE) {
            List<String> some = tables.subList(from, Math.min(from + TABLES_AT_ONCE, tables.size()));
            execute(connection, "TRUNCATE ONLY " + String.join(", ONLY ", some) + " CASCADE");
        }
        for (String trigger : triggers) {
            execute(connection, trigger);
        }
        for (String view : relations(connection, "m")) {
            execute(connection, "REFRESH MATERIALIZED VIEW " + view + " WITH NO DATA");
        }
        for (String sequence : relations(connection, "S")) {
            execute(connection, "ALTER SEQUENCE " + sequence + " RESTART");
        }
        execute(connection, "TRUNCATE " + String.join(", ", SYSTEM_TABLES));
        execute(
                connection,
                "DELETE FROM pg_shdepend WHERE classid = 'pg_largeobject'::regclass AND dbid ="
                        + " (SELECT oid FROM pg_database WHERE datname = current_database())");
        execute(connection, "DELETE FROM pg_description WHERE classoid = 'pg_largeobject'::regclass");
        execute(connection, "UPDATE pg_attribute SET atthasmissing = false, attmissingval = NULL WHERE atthasmissing");
        // Former values of columns that were added with a default stay in dead rows, here and as expressions.
        execute(connection, "VACUUM FULL pg_attribute");
        execute(connection, "VACUUM FULL pg_attrdef");
    }

    private static List<String> relations(Connection connection, String kind) throws SQLException {
        return names(
                connection,
                "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE c.relkind = '" + kind + "' AND c.relpersistence <> 't' AND c.oid >= " + FIRST_USER_OID
                        + " ORDER BY c.oid");
    }

    private static void note(Connection connection, Remains remains) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT pg_relation_filepath(oid), relkind IN ('r', 't', 'm') AND"
                                + " (oid >= " + FIRST_USER_OID + " OR relname IN ('"
                                + String.join("', '", SYSTEM_TABLES) + "')),"
                                + " oid::regclass::text, pg_relation_size(oid)"
                                + " FROM pg_class WHERE pg_relation_filepath(oid) IS NOT NULL")) {
            while (rows.next()) {
                remains.files().add(rows.getString(1));
                if (rows.getBoolean(2)) {
                    remains.empty().add(rows.getString(1));
                    if (rows.getLong(4) != 0) {
                        throw new SQLException(
                                "table " + rows.getString(3) + " is not empty after TRUNCATE; does a trigger fill it?",
                                "55000");
                    }
                }
            }
        }
    }

    private static List<String> names(Connection connection, String query) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            statement.execute(sql);
        }
    }
}
