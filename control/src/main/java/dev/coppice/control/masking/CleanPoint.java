package dev.coppice.control.masking;

import dev.coppice.control.catalog.rows.MaskingRows.SealedKey;
import dev.coppice.control.error.ControlException;
import dev.coppice.masking.rule.MaskPlan;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Makes a parent ready to be read by a masked branch: on a hidden timeline of its own, by SQL on a compute that nobody else can reach and that
 * is shut down afterwards. It reads the catalog of every database, checks the rules against them, and takes out of the
 * catalogs what holds values or secrets: after TRUNCATE or VACUUM FULL they are new files, without a trace of a former row.
 *
 * <p>User tables are not touched, whatever their size: their pages are masked when they are read.
 */
public final class CleanPoint {
    private final Databases databases;
    private final Set<Protection> protections;

    /** Opens connections as the superuser, in auto-commit mode; the caller of it closes them. */
    @FunctionalInterface
    public interface Databases {
        Connection open(String database) throws SQLException;
    }

    /**
     * What is to be done in the branch before its indexes can be used.
     *
     * @param indexes OIDs of indexes to rebuild
     * @param views OIDs of materialized views to refresh
     */
    public record Rebuild(String database, Set<Integer> indexes, Set<Integer> views) {}

    /**
     * A point that is ready.
     *
     * @param document for {@link dev.coppice.storage.PageService#createBranch(dev.coppice.common.TimelineId,
     *     dev.coppice.storage.layout.BranchPoint, byte[])}, once the compute is shut down
     * @param warnings what users should know
     */
    public record Ready(Document document, List<Rebuild> rebuilds, List<String> warnings) {}

    /** The frozen plan, as storage keeps it. */
    public interface Document {
        byte[] bytes();
    }

    public CleanPoint(Databases databases) {
        this(databases, EnumSet.allOf(Protection.class));
    }

    CleanPoint(Databases databases, Set<Protection> protections) {
        this.databases = databases;
        this.protections = protections;
    }

    /**
     * Prepares the cluster.
     *
     * @param maintenance a database that is always there
     * @param verifiers of every role that may log in with a password in the branch; all others lose theirs
     * @throws ControlException UNPROCESSABLE with every reason against the rules, for the first database that has any
     */
    public Ready prepare(
            String maintenance, RuleSet rules, String projectId, SealedKey key, Map<String, @Nullable String> verifiers)
            throws SQLException {
        try (Connection main = databases.open(maintenance);
                OpenDatabases each = new OpenDatabases(databases)) {
            List<String> closed = open(main);
            List<String> names = CatalogSql.texts(main, "SELECT datname FROM pg_database ORDER BY oid");
            requireDatabases(rules, names);
            Map<String, DatabasePlan> checked = new HashMap<>();
            for (String name : names) {
                checked.put(name, plan(CatalogQuery.run(each.connection(name)), rules, key));
            }
            for (String name : names) {
                clean(each.connection(name), java.util.Objects.requireNonNull(checked.get(name)), rules);
            }
            new SharedCatalogs(main, protections).clean(verifiers);
            List<JsonNode> catalogs = new ArrayList<>();
            List<Rebuild> rebuilds = new ArrayList<>();
            List<String> warnings = new ArrayList<>();
            for (String name : names) {
                String json = CatalogQuery.run(each.connection(name));
                DatabasePlan plan = plan(json, rules, key);
                catalogs.add(MaskDocument.readCatalog(json));
                rebuilds.add(new Rebuild(name, plan.indexes(), plan.plan().views()));
                plan.plan().warnings().forEach(warning -> warnings.add(name + ": " + warning));
            }
            for (String name : closed) {
                CatalogSql.execute(
                        main, "ALTER DATABASE " + CatalogSql.identifier(name) + " WITH ALLOW_CONNECTIONS false");
            }
            MaskDocument document =
                    new MaskDocument(projectId, key.id(), key.sealed(), MaskPlan.CODE_VERSION, rules, catalogs);
            return new Ready(document::bytes, rebuilds, warnings);
        }
    }

    /** A connection to each database, opened once: opening them takes longer than what is done over them. */
    private record OpenDatabases(Databases databases, Map<String, Connection> open) implements AutoCloseable {
        /** The server allows so many connections, and a cluster can have any number of databases. */
        private static final int MOST = 20;

        OpenDatabases(Databases databases) {
            this(databases, new HashMap<>());
        }

        Connection connection(String database) throws SQLException {
            Connection known = open.get(database);
            if (known != null) {
                return known;
            }
            if (open.size() == MOST) {
                close();
            }
            Connection opened = databases.open(database);
            open.put(database, opened);
            return opened;
        }

        @Override
        public void close() throws SQLException {
            List<Connection> all = List.copyOf(open.values());
            open.clear();
            SQLException failed = null;
            for (Connection connection : all) {
                try {
                    connection.close();
                } catch (SQLException e) {
                    failed = e;
                }
            }
            if (failed != null) {
                throw failed;
            }
        }
    }

    private static DatabasePlan plan(String json, RuleSet rules, SealedKey key) {
        return DatabasePlan.of(DatabaseCatalog.parse(MaskDocument.readCatalog(json)), rules, key.id());
    }

    /** Every database must be read, also those that allow no connections; answers which those were. */
    private static List<String> open(Connection main) throws SQLException {
        List<String> broken = CatalogSql.texts(main, "SELECT datname FROM pg_database WHERE datconnlimit = -2");
        if (!broken.isEmpty()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "database \"" + broken.getFirst() + "\" is half dropped: drop it in the parent first");
        }
        List<String> closed = CatalogSql.texts(main, "SELECT datname FROM pg_database WHERE NOT datallowconn");
        for (String name : closed) {
            CatalogSql.execute(main, "ALTER DATABASE " + CatalogSql.identifier(name) + " WITH ALLOW_CONNECTIONS true");
        }
        return closed;
    }

    private static void requireDatabases(RuleSet rules, List<String> names) {
        Set<String> unknown = new HashSet<>();
        rules.rules().forEach(rule -> unknown.add(rule.database()));
        names.forEach(unknown::remove);
        if (!unknown.isEmpty()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "the parent has no database \""
                            + unknown.stream().sorted().findFirst().orElseThrow() + "\", which a masking rule names");
        }
    }

    private void clean(Connection connection, DatabasePlan plan, RuleSet rules) throws SQLException {
        // Triggers are the parent's; and catalogs are to be emptied.
        CatalogSql.execute(connection, "SET session_replication_role = replica");
        CatalogSql.execute(connection, "SET allow_system_table_mods = on");
        if (protections.contains(Protection.PREPARED_TRANSACTIONS)) {
            for (String gid : CatalogSql.texts(
                    connection, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")) {
                CatalogSql.execute(connection, "ROLLBACK PREPARED " + CatalogSql.literal(gid));
            }
        }
        new StaticMasking(plan.catalog(), rules).apply(connection, protections.contains(Protection.REWRITTEN_TABLES));
        truncate(connection);
        if (protections.contains(Protection.MATERIALIZED_VIEWS)) {
            for (int view : plan.plan().views()) {
                String name =
                        CatalogSql.text(connection, "SELECT " + Integer.toUnsignedString(view) + "::regclass::text");
                CatalogSql.execute(connection, "REFRESH MATERIALIZED VIEW " + name + " WITH NO DATA");
            }
        }
        if (protections.contains(Protection.CREDENTIALS)) {
            credentials(connection);
        }
        if (!plan.indexes().isEmpty() && protections.contains(Protection.INDEXES)) {
            CatalogSql.execute(
                    connection,
                    "UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid IN ("
                            + CatalogSql.oids(plan.indexes()) + ")");
        }
    }

    private void truncate(Connection connection) throws SQLException {
        List<String> emptied = new ArrayList<>();
        if (protections.contains(Protection.STATISTICS)) {
            emptied.addAll(List.of("pg_statistic", "pg_statistic_ext_data"));
        }
        if (protections.contains(Protection.LARGE_OBJECTS)) {
            emptied.add("pg_largeobject");
        }
        if (protections.contains(Protection.COMMENTS)) {
            emptied.addAll(List.of("pg_description", "pg_seclabel"));
        }
        for (String name : emptied) {
            CatalogSql.execute(connection, "TRUNCATE pg_catalog." + name);
        }
    }

    private static void credentials(Connection connection) throws SQLException {
        for (String name : CatalogSql.texts(
                connection,
                "SELECT quote_ident(subname) FROM pg_subscription WHERE subdbid ="
                        + " (SELECT oid FROM pg_database WHERE datname = current_database())")) {
            CatalogSql.execute(connection, "ALTER SUBSCRIPTION " + name + " DISABLE");
            CatalogSql.execute(connection, "ALTER SUBSCRIPTION " + name + " SET (slot_name = NONE)");
            CatalogSql.execute(connection, "DROP SUBSCRIPTION " + name);
        }
        for (List<String> each : List.of(
                List.of("pg_user_mapping", "umoptions"),
                List.of("pg_foreign_server", "srvoptions"),
                List.of("pg_foreign_table", "ftoptions"),
                List.of("pg_foreign_data_wrapper", "fdwoptions"))) {
            CatalogSql.execute(
                    connection,
                    "UPDATE " + each.getFirst() + " SET " + each.getLast() + " = NULL WHERE " + each.getLast()
                            + " IS NOT NULL");
            CatalogSql.rewrite(connection, each.getFirst());
        }
    }

    /** Statements on catalogs. */
    static final class CatalogSql {
        private CatalogSql() {}

        static void execute(Connection connection, String sql) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.setEscapeProcessing(false);
                statement.execute(sql);
            }
        }

        /** Makes a new file of a catalog's live rows; an empty one has none to forget. */
        static void rewrite(Connection connection, String catalog) throws SQLException {
            if (!text(connection, "SELECT pg_relation_size('pg_catalog." + catalog + "')::text")
                    .equals("0")) {
                execute(connection, "VACUUM FULL pg_catalog." + catalog);
            }
        }

        static String text(Connection connection, String sql) throws SQLException {
            return texts(connection, sql).getFirst();
        }

        static List<String> texts(Connection connection, String sql) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.setEscapeProcessing(false);
                try (ResultSet rows = statement.executeQuery(sql)) {
                    List<String> result = new ArrayList<>();
                    while (rows.next()) {
                        result.add(rows.getString(1));
                    }
                    return result;
                }
            }
        }

        static String oids(Set<Integer> oids) {
            return String.join(
                    ", ", oids.stream().map(Integer::toUnsignedString).sorted().toList());
        }

        static String identifier(String name) {
            return '"' + name.replace("\"", "\"\"") + '"';
        }

        static String literal(String text) {
            return "E'" + text.replace("\\", "\\\\").replace("'", "''") + '\'';
        }
    }
}
