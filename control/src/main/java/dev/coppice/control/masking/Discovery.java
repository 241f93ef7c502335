package dev.coppice.control.masking;

import dev.coppice.control.sql.AdminConnection;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import dev.coppice.masking.rule.TableDefinition;
import dev.coppice.masking.suggest.SampledColumn;
import dev.coppice.masking.suggest.Suggester;
import dev.coppice.masking.suggest.Suggestion;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Looks for personal data in a database: the columns of all tables, with a bounded sample of the values that the connection's role
 * may read.
 */
public final class Discovery {
    /** The most tables whose values are looked at. */
    private static final int MAX_TABLES = 1000;

    private static final int ROWS_WANTED = 100;
    private static final int SAMPLE_ROWS = 2000;
    private static final int VALUE_LENGTH = 300;
    private static final int DOCUMENT_LENGTH = 20_000;

    /** Stored bytes above which a value is not looked at: it would be decompressed as a whole. */
    private static final int STORED_LENGTH = 50_000;

    private static final Duration TABLE_LIMIT = Duration.ofSeconds(5);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String NOT_ALLOWED = "42501";
    private static final String TOOK_TOO_LONG = "57014";

    private final Connection connection;

    /** @param connection to the database, as the role whose rights count, and of which a time limit is left behind; the caller's */
    public Discovery(Connection connection) {
        this.connection = connection;
    }

    /**
     * What was found.
     *
     * @param suggestions the surest first
     * @param columns how many were looked at
     * @param notes which tables were not looked at, and why
     */
    public record Found(String database, List<Suggestion> suggestions, int columns, List<String> notes) {}

    /** Looks at every table that users made. */
    public Found run() throws SQLException {
        DatabaseCatalog catalog = DatabaseCatalog.parse(JsonMapper.shared().readTree(CatalogQuery.run(connection)));
        Map<Integer, Double> sizes = sizes();
        List<Suggestion> suggestions = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        int columns = 0;
        int tables = 0;
        long end = System.nanoTime() + LIMIT.toNanos();
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET statement_timeout = " + TABLE_LIMIT.toMillis());
        }
        for (TableDefinition table : catalog.tables()) {
            // Partitions and children are masked like their parents.
            if (!table.parents().isEmpty()) {
                continue;
            }
            Map<Integer, List<String>> values = Map.of();
            if (++tables > MAX_TABLES || System.nanoTime() > end) {
                notes.add(table.layout().qualifiedName() + ": only the names of its columns were looked at");
            } else {
                values = sample(table, sizes.getOrDefault(table.layout().oid(), -1.0), notes);
            }
            for (Attribute column : table.layout().attributes()) {
                if (!column.dropped() && !refersToAnother(table, column)) {
                    columns++;
                    suggest(catalog, table, column, values.getOrDefault(column.number(), List.of()), suggestions);
                }
            }
        }
        suggestions.sort(Comparator.comparingDouble(Suggestion::confidence).reversed());
        return new Found(catalog.name(), suggestions, columns, notes);
    }

    /** The planner's estimates of how many rows there are. */
    private Map<Integer, Double> sizes() throws SQLException {
        Map<Integer, Double> sizes = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT oid::bigint, reltuples::float8 FROM pg_catalog.pg_class")) {
            while (rows.next()) {
                sizes.put((int) rows.getLong(1), rows.getDouble(2));
            }
        }
        return sizes;
    }

    /** A rule for the column that a key refers to masks the key, too. */
    private static boolean refersToAnother(TableDefinition table, Attribute column) {
        return table.foreignKeys().stream().anyMatch(key -> key.columns().contains(column.number()));
    }

    private static boolean isDistinct(DatabaseCatalog catalog, TableDefinition table, Attribute column) {
        return table.indexes().stream()
                        .anyMatch(index -> index.unique() && index.columns().contains(column.number()))
                || catalog.tables().stream()
                        .flatMap(other -> other.foreignKeys().stream())
                        .anyMatch(key -> key.referenced() == table.layout().oid()
                                && key.referencedColumns().contains(column.number()));
    }

    private static void suggest(
            DatabaseCatalog catalog,
            TableDefinition table,
            Attribute column,
            List<String> values,
            List<Suggestion> into) {
        if (isDocument(column.type())) {
            for (Map.Entry<String, List<String>> path :
                    JsonSamples.paths(values).entrySet()) {
                Suggester.suggest(sampled(table, column, path.getKey(), false, path.getValue()))
                        .ifPresent(into::add);
            }
            return;
        }
        Suggester.suggest(sampled(table, column, null, isDistinct(catalog, table, column), values))
                .ifPresent(into::add);
    }

    private static SampledColumn sampled(
            TableDefinition table, Attribute column, @Nullable String path, boolean distinct, List<String> values) {
        return new SampledColumn(
                table.layout().schema(),
                table.layout().name(),
                column.name(),
                path,
                column.type(),
                column.typeModifier(),
                distinct,
                values);
    }

    private static boolean isDocument(DataType type) {
        return type instanceof DataType.Scalar(ScalarType scalar)
                && (scalar == ScalarType.JSON || scalar == ScalarType.JSONB);
    }

    /** Some values of each column that can be read as text, by its number. */
    private Map<Integer, List<String>> sample(TableDefinition table, double size, List<String> notes)
            throws SQLException {
        List<Attribute> columns = table.layout().attributes().stream()
                .filter(column -> !column.dropped() && isReadable(column.type()))
                .toList();
        if (columns.isEmpty()) {
            return Map.of();
        }
        Map<Integer, List<String>> values = new HashMap<>();
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            try (ResultSet rows = statement.executeQuery(sql(table, columns, size))) {
                while (rows.next()) {
                    for (int i = 0; i < columns.size(); i++) {
                        String value = rows.getString(i + 1);
                        if (value != null && !value.isBlank()) {
                            values.computeIfAbsent(columns.get(i).number(), number -> new ArrayList<>())
                                    .add(value);
                        }
                    }
                }
            }
        } catch (SQLException e) {
            if (!NOT_ALLOWED.equals(e.getSQLState()) && !TOOK_TOO_LONG.equals(e.getSQLState())) {
                throw e;
            }
            notes.add(table.layout().qualifiedName() + ": only the names of its columns were looked at: "
                    + AdminConnection.said(e));
        }
        return values;
    }

    private static String sql(TableDefinition table, List<Attribute> columns, double size) {
        String sampling = size > SAMPLE_ROWS ? " TABLESAMPLE SYSTEM (" + 100 * SAMPLE_ROWS / size + ")" : "";
        return columns.stream()
                .map(column -> {
                    String name = Identifiers.quoted(column.name());
                    int length = isDocument(column.type()) ? DOCUMENT_LENGTH : VALUE_LENGTH;
                    String text = "left(" + name + "::text, " + length + ")";
                    return column.isVarlena()
                            ? "CASE WHEN pg_column_size(" + name + ") < " + STORED_LENGTH + " THEN " + text + " END"
                            : text;
                })
                .collect(Collectors.joining(
                        ", ",
                        "SELECT ",
                        " FROM " + Identifiers.quoted(table.layout().schema()) + "."
                                + Identifiers.quoted(table.layout().name())
                                + sampling + " LIMIT " + ROWS_WANTED));
    }

    private static boolean isReadable(DataType type) {
        return switch (type) {
            case DataType.Scalar(ScalarType scalar) ->
                switch (scalar.family()) {
                    case TEXT, INTEGER, NUMERIC, NETWORK, MAC_ADDRESS, JSON, JSONB -> true;
                    default -> false;
                };
            case DataType.Array ignored -> false;
            case DataType.Enumeration ignored -> false;
            case DataType.Range ignored -> false;
            case DataType.Unsupported ignored -> false;
        };
    }
}
