package dev.coppice.control.masking;

import dev.coppice.control.error.ControlException;
import dev.coppice.masking.MaskingException;
import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.function.StoredText;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.page.ColumnMask;
import dev.coppice.masking.page.HeapPageMasker;
import dev.coppice.masking.page.RowCondition;
import dev.coppice.masking.page.RowReader;
import dev.coppice.masking.page.TransactionStatus;
import dev.coppice.masking.rule.MaskPlan;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Shows what rules would do to some rows, without making a branch: the plan that a branch would have, on the pages that it would
 * read. Which rows and columns it shows is up to the role of the connection: what that may not SELECT is an error.
 */
public final class RuleTrial {
    private static final long BLOCKS_PER_FILE = 131_072;
    private static final int SHOWN_LENGTH = 200;

    private final Connection connection;
    private final RuleSet rules;
    private final MaskKey key;
    private final Pages pages;

    /** Where the stored pages of the branch come from. */
    @FunctionalInterface
    public interface Pages {
        /** The 8192 bytes of a block of a file, as it is stored now. */
        byte[] page(String path, long block);
    }

    /** What the rules do to one database. */
    public record Result(String database, List<Table> tables, List<String> warnings) {}

    /**
     * What the rules do to one table.
     *
     * @param functions what is done to each column, by its name, in the order of the columns
     */
    public record Table(String schema, String table, Map<String, String> functions, List<Row> rows) {}

    /** The values of the masked columns of a row, in the order of {@link Table#functions}; null is NULL. */
    public record Row(List<@Nullable String> before, List<@Nullable String> after) {}

    /**
     * @param connection to the database, as the role whose rights count; stays the caller's
     * @param key the one that a branch of the project would mask with
     */
    public RuleTrial(Connection connection, RuleSet rules, MaskKey key, Pages pages) {
        this.connection = connection;
        this.rules = rules;
        this.key = key;
        this.pages = pages;
    }

    /**
     * Applies the rules to some rows of each masked table.
     *
     * @param rows at most so many of each table
     * @throws ControlException UNPROCESSABLE with every reason against the rules
     * @throws SQLException also when the role may not read a masked column
     */
    public Result run(int rows) throws SQLException {
        DatabaseCatalog catalog = DatabaseCatalog.parse(
                tools.jackson.databind.json.JsonMapper.shared().readTree(CatalogQuery.run(connection)));
        MaskPlan plan = DatabasePlan.of(catalog, rules, key.id()).plan();
        List<Table> tables = new ArrayList<>();
        for (DatabaseCatalog.Relation relation : catalog.relations()) {
            Optional<MaskPlan.TablePlan> table = plan.table(relation.oid());
            if (table.isPresent() && !table.get().columns().isEmpty() && relation.fileNode() != 0) {
                tables.add(new TableTrial(catalog, relation, plan, table.get()).run(rows));
            }
        }
        return new Result(catalog.name(), tables, plan.warnings());
    }

    /** One table's rows. */
    private final class TableTrial {
        private final String directory;
        private final DatabaseCatalog.Relation relation;
        private final MaskPlan.TablePlan table;
        private final List<Attribute> columns;
        private final HeapPageMasker masker;
        private final RowReader reader;
        private final Map<Long, byte[]> masked = new HashMap<>();

        TableTrial(
                DatabaseCatalog catalog, DatabaseCatalog.Relation relation, MaskPlan plan, MaskPlan.TablePlan table) {
            this.directory = "base/" + Integer.toUnsignedString(catalog.oid()) + "/";
            this.relation = relation;
            this.table = table;
            this.columns = table.columns().stream()
                    .map(ColumnMask::number)
                    .sorted()
                    .map(number -> table.layout().attributes().get(number - 1))
                    .toList();
            this.masker = plan.masker(relation.oid(), key, TransactionStatus.UNKNOWN, catalog.checksums());
            this.reader = new RowReader(table.layout());
        }

        Table run(int limit) throws SQLException {
            Map<String, String> functions = new java.util.LinkedHashMap<>();
            columns.forEach(column -> functions.put(
                    column.name(), Objects.requireNonNull(table.descriptions().get(column.name()))));
            List<Row> rows = new ArrayList<>();
            try (Statement statement = connection.createStatement()) {
                statement.setEscapeProcessing(false);
                try (ResultSet found = statement.executeQuery(sql(limit))) {
                    while (found.next()) {
                        List<@Nullable String> before = new ArrayList<>();
                        for (int i = 0; i < columns.size(); i++) {
                            before.add(found.getString(i + 2));
                        }
                        after(found.getString(1)).ifPresent(after -> rows.add(new Row(before, after)));
                    }
                }
            }
            return new Table(relation.schema(), relation.name(), functions, rows);
        }

        private String sql(int limit) {
            return columns.stream()
                    .map(column -> "left(" + Identifiers.quoted(column.name()) + "::text, " + SHOWN_LENGTH + ")")
                    .collect(Collectors.joining(
                            ", ",
                            "SELECT ctid::text, ",
                            " FROM ONLY " + Identifiers.quoted(relation.schema()) + "."
                                    + Identifiers.quoted(relation.name()) + " LIMIT " + limit));
        }

        /** The masked values; empty when the row has moved meanwhile. */
        private Optional<List<@Nullable String>> after(String ctid) {
            int comma = ctid.indexOf(',');
            long block = Long.parseLong(ctid.substring(1, comma));
            int item = Integer.parseInt(ctid.substring(comma + 1, ctid.length() - 1));
            try {
                return reader.read(masked.computeIfAbsent(block, this::masked), item)
                        .map(fields -> columns.stream()
                                .map(column -> shown(column, fields))
                                .collect(Collectors.toCollection(ArrayList::new)));
            } catch (MaskingException e) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE, "a row cannot be masked: " + e.getMessage(), e);
            }
        }

        private byte[] masked(long block) {
            long segment = block / BLOCKS_PER_FILE;
            String path = directory + relation.fileNode() + (segment == 0 ? "" : "." + segment);
            return masker.mask(pages.page(path, block % BLOCKS_PER_FILE), block);
        }

        private @Nullable String shown(Attribute column, List<RowCondition.Field> fields) {
            if (column.number() > fields.size()) {
                // The row is older than the column: what its default becomes is no part of the page.
                return StoredText.UNREADABLE;
            }
            return switch (fields.get(column.number() - 1)) {
                case RowCondition.Value(byte[] bytes) -> {
                    String text = StoredText.of(column.type(), bytes);
                    yield text.length() <= SHOWN_LENGTH ? text : text.substring(0, SHOWN_LENGTH);
                }
                case RowCondition.Absent.NULL -> null;
                case RowCondition.Absent.UNREADABLE -> StoredText.UNREADABLE;
            };
        }
    }
}
