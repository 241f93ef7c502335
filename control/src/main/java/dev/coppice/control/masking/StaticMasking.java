package dev.coppice.control.masking;

import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.CleanPoint.CatalogSql;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.rule.TableDefinition;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Rules with SQL expressions, in one database: on the clean point's hidden timeline their tables are updated and then rewritten, so that in what
 * the branch sees there is no row as it was. Nothing of it is in the branch's history: that begins after the clean point. It takes the time and
 * the space of the tables, unlike other rules.
 */
final class StaticMasking {
    /** Where the function lies while it runs. */
    private static final String SCHEMA = "\"coppice static masking\"";

    private static final String FUNCTION = SCHEMA + ".\"update\"()";
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final DatabaseCatalog catalog;
    /** By the table that a rule names: columns and expressions. */
    private final Map<TableDefinition, Map<String, SqlExpression>> columns = new LinkedHashMap<>();

    private final List<String> problems = new ArrayList<>();

    StaticMasking(DatabaseCatalog catalog, RuleSet rules) {
        this.catalog = catalog;
        for (RuleSet.Rule rule : rules.rules()) {
            Optional<SqlExpression> expression = rule.expression();
            if (expression.isPresent() && rule.database().equals(catalog.name())) {
                // A table or column that is not there is an error of the plan.
                find(rule).ifPresent(table -> add(table, rule.column(), expression.get()));
            }
        }
    }

    /** Every reason against them. */
    List<String> problems() {
        return problems;
    }

    private Optional<TableDefinition> find(RuleSet.Rule rule) {
        return catalog.tables().stream()
                .filter(table -> table.layout().schema().equals(rule.schema())
                        && table.layout().name().equals(rule.table()))
                .findFirst();
    }

    private void add(TableDefinition table, String name, SqlExpression expression) {
        for (Attribute column : table.layout().attributes()) {
            if (column.dropped() || !column.name().equals(name)) {
                continue;
            }
            String reason = reason(table, column);
            if (reason != null) {
                problems.add(table.layout().qualifiedName() + "." + name + ": an SQL expression cannot mask " + reason);
            }
            if (columns.computeIfAbsent(table, key -> new LinkedHashMap<>()).put(name, expression) != null) {
                problems.add(table.layout().qualifiedName() + "." + name + ": has two SQL expressions");
            }
        }
    }

    private @org.jspecify.annotations.Nullable String reason(TableDefinition table, Attribute column) {
        int number = column.number();
        if (table.kind() == TableDefinition.Kind.MATERIALIZED_VIEW) {
            return "a materialized view: give its tables rules, it is refreshed then";
        }
        if (column.generated() != Attribute.NOT_GENERATED) {
            return "a generated column: give those that it is made of rules";
        }
        for (TableDefinition each : related(table)) {
            Optional<Attribute> same = each.layout().attributes().stream()
                    .filter(other -> !other.dropped() && other.name().equals(column.name()))
                    .findFirst();
            if (same.isEmpty()) {
                continue;
            }
            int own = same.get().number();
            if (each.partitionKey().contains(own)) {
                return "a column that a table is partitioned by";
            }
            if (each.indexes().stream()
                    .anyMatch(index -> (index.unique() || index.exclusion())
                            && index.columns().contains(own))) {
                return "a column that must stay unique: use pseudonym()";
            }
            if (each.foreignKeys().stream().anyMatch(key -> key.columns().contains(own)) || isReferred(each, own)) {
                return "a column of a foreign key: use pseudonym()";
            }
        }
        return number <= 0 ? "a system column" : null;
    }

    private boolean isReferred(TableDefinition table, int column) {
        return catalog.tables().stream()
                .flatMap(other -> other.foreignKeys().stream())
                .anyMatch(key -> key.referenced() == table.layout().oid()
                        && key.referencedColumns().contains(column));
    }

    /** The table, its partitions and children, which an update changes too, and their parents. */
    private Set<TableDefinition> related(TableDefinition table) {
        Set<TableDefinition> found = new LinkedHashSet<>(below(table));
        boolean changed = true;
        while (changed) {
            changed = false;
            for (TableDefinition each : catalog.tables()) {
                if (found.stream()
                        .anyMatch(
                                known -> known.parents().contains(each.layout().oid()))) {
                    changed |= found.add(each);
                }
            }
        }
        return found;
    }

    private Set<TableDefinition> below(TableDefinition table) {
        Set<Integer> oids = new HashSet<>(Set.of(table.layout().oid()));
        Set<TableDefinition> found = new LinkedHashSet<>(Set.of(table));
        boolean changed = true;
        while (changed) {
            changed = false;
            for (TableDefinition each : catalog.tables()) {
                if (each.parents().stream().anyMatch(oids::contains)) {
                    changed |= found.add(each) && oids.add(each.layout().oid());
                }
            }
        }
        return found;
    }

    /** OIDs of materialized views that read the tables: they hold what was in them. */
    Set<Integer> staleViews() {
        Set<Integer> read = new HashSet<>();
        columns.keySet()
                .forEach(table ->
                        related(table).forEach(each -> read.add(each.layout().oid())));
        Set<Integer> views = new HashSet<>();
        for (TableDefinition view : catalog.tables()) {
            if (view.kind() == TableDefinition.Kind.MATERIALIZED_VIEW
                    && view.dependsOn().stream().anyMatch(read::contains)) {
                views.add(view.layout().oid());
            }
        }
        return views;
    }

    /**
     * Applies them.
     *
     * @param connection of the superuser, to a database that nobody else uses, with triggers switched off
     * @param rewrite false only in a test that shows that it is needed
     * @throws ControlException UNPROCESSABLE naming the table whose expressions fail; what Postgres said may hold originals and stays unsaid
     */
    void apply(Connection connection, boolean rewrite) throws SQLException {
        if (columns.isEmpty()) {
            return;
        }
        Set<TableDefinition> written = new LinkedHashSet<>();
        for (Map.Entry<TableDefinition, Map<String, SqlExpression>> each : columns.entrySet()) {
            Set<TableDefinition> below = below(each.getKey());
            below.forEach(table -> requireNoTriggers(connection, table));
            written.addAll(below);
            update(connection, each.getKey(), each.getValue());
        }
        if (rewrite) {
            rewrite(connection, written);
        }
    }

    private static void rewrite(Connection connection, Set<TableDefinition> written) throws SQLException {
        requireNobodyElse(connection);
        for (TableDefinition table : written) {
            if (table.kind() == TableDefinition.Kind.TABLE) {
                CatalogSql.execute(connection, "VACUUM FULL " + name(table));
            }
        }
        // Defaults of added columns: after the rewrite no row needs them.
        CatalogSql.execute(
                connection,
                "UPDATE pg_catalog.pg_attribute SET atthasmissing = false, attmissingval = NULL WHERE atthasmissing AND attrelid IN ("
                        + CatalogSql.oids(new HashSet<>(written.stream()
                                .map(table -> table.layout().oid())
                                .toList()))
                        + ")");
        CatalogSql.rewrite(connection, "pg_attribute");
    }

    /**
     * Updates as the table's owner: constraints, expressions of indexes and types, and the rule itself may call what users wrote, and in a function
     * with its owner's rights nobody can take the superuser's back.
     */
    private static void update(Connection connection, TableDefinition table, Map<String, SqlExpression> expressions) {
        List<String> assignments = new ArrayList<>();
        expressions.forEach((column, expression) ->
                assignments.add(CatalogSql.identifier(column) + " = (" + expression.text() + "\n)"));
        String sql = "UPDATE " + name(table) + " SET " + String.join(", ", assignments);
        String path = "pg_catalog, " + CatalogSql.identifier(table.layout().schema()) + ", public, pg_temp";
        try {
            String owner = CatalogSql.text(
                    connection,
                    "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = "
                            + Integer.toUnsignedString(table.layout().oid()));
            CatalogSql.execute(connection, "SET check_function_bodies = off");
            CatalogSql.execute(connection, "CREATE SCHEMA " + SCHEMA);
            CatalogSql.execute(
                    connection,
                    "CREATE FUNCTION " + FUNCTION + " RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = "
                            + path + " AS " + CatalogSql.literal(sql));
            CatalogSql.execute(connection, "ALTER FUNCTION " + FUNCTION + " OWNER TO " + CatalogSql.identifier(owner));
            CatalogSql.execute(connection, "SELECT " + FUNCTION);
            CatalogSql.execute(connection, "DROP SCHEMA " + SCHEMA + " CASCADE");
        } catch (SQLException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "the SQL expressions for " + table.layout().qualifiedName() + " fail with SQLSTATE "
                            + e.getSQLState() + ": try them in a branch that may have originals, as the table's owner:"
                            + " UPDATE ... SET " + String.join(", ", expressions.keySet()) + " = ...");
        }
    }

    /** Those that fire in spite of session_replication_role could carry a row as it was to another table. */
    private static void requireNoTriggers(Connection connection, TableDefinition table) {
        String oid = Integer.toUnsignedString(table.layout().oid());
        try {
            List<String> always = CatalogSql.texts(
                    connection,
                    "SELECT tgname FROM pg_trigger WHERE tgrelid = " + oid + " AND tgenabled IN ('A', 'R')"
                            + " UNION ALL SELECT rulename FROM pg_rewrite WHERE ev_class = " + oid
                            + " AND ev_enabled IN ('A', 'R') AND ev_type <> '1'");
            if (!always.isEmpty()) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        table.layout().qualifiedName()
                                + ": SQL expressions cannot mask a table whose trigger or rule \"" + always.getFirst()
                                + "\" is enabled ALWAYS or REPLICA");
            }
        } catch (SQLException e) {
            throw new ControlException(ControlException.Kind.UNAVAILABLE, "triggers cannot be read", e);
        }
    }

    /** A snapshot that is older than the update would make VACUUM FULL keep the rows that were. */
    private static void requireNobodyElse(Connection connection) throws SQLException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        List<String> others = others(connection);
        while (!others.isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE,
                        "SQL expressions were not applied: \"" + others.getFirst() + "\" keeps old rows; try again");
            }
            LockSupport.parkNanos(PAUSE_NANOS);
            others = others(connection);
        }
    }

    private static List<String> others(Connection connection) throws SQLException {
        return CatalogSql.texts(
                connection,
                "SELECT coalesce(backend_type, '') FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                        + " AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"
                        + " UNION ALL SELECT slot_name FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL"
                        + " UNION ALL SELECT gid FROM pg_prepared_xacts WHERE database = current_database()");
    }

    private static String name(TableDefinition table) {
        return CatalogSql.identifier(table.layout().schema()) + "."
                + CatalogSql.identifier(table.layout().name());
    }
}
