package dev.coppice.masking;

import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.layout.ScalarType;
import dev.coppice.masking.layout.TypeCatalog;
import dev.coppice.masking.rule.TableDefinition;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Reads layouts from a running server's catalog. */
public final class LayoutReader {
    private final ScratchPostgres server;
    private final TypeCatalog types;

    public LayoutReader(ScratchPostgres server) throws SQLException {
        this.server = server;
        List<TypeCatalog.TypeRow> rows = new ArrayList<>();
        for (List<String> row : server.rows("""
                select oid::bigint, typname, typtype, typlen, typalign,
                       case when typsubscript::text = 'array_subscript_handler' then typelem::bigint else 0 end,
                       typbasetype::bigint
                from pg_type""")) {
            rows.add(new TypeCatalog.TypeRow(
                    Integer.parseInt(row.get(0)),
                    row.get(1),
                    row.get(2).charAt(0),
                    Integer.parseInt(row.get(3)),
                    row.get(4).charAt(0),
                    Integer.parseInt(row.get(5)),
                    Integer.parseInt(row.get(6))));
        }
        Map<Integer, List<DataType.Label>> labels = new HashMap<>();
        for (List<String> row : server.rows(
                "select enumtypid::bigint, oid::bigint, enumlabel from pg_enum order by 1, enumsortorder")) {
            labels.computeIfAbsent(Integer.parseInt(row.get(0)), type -> new ArrayList<>())
                    .add(new DataType.Label(Integer.parseInt(row.get(1)), row.get(2)));
        }
        Map<Integer, Integer> subtypes = new HashMap<>();
        for (List<String> row : server.rows("select rngtypid::bigint, rngsubtype::bigint from pg_range")) {
            subtypes.put(Integer.parseInt(row.get(0)), Integer.parseInt(row.get(1)));
        }
        types = new TypeCatalog(rows, labels, subtypes);
    }

    public RelationLayout layout(String table) throws SQLException {
        List<Attribute> attributes = new ArrayList<>();
        for (List<String> row : server.rows("""
                select attnum, attname, atttypid::bigint, atttypmod, attlen, attalign, attstorage, attnotnull, attisdropped,
                       attgenerated
                from pg_attribute where attrelid = '%s'::regclass and attnum > 0 order by attnum""".formatted(table))) {
            boolean dropped = row.get(8).equals("t");
            DataType type = dropped ? DataType.of(ScalarType.TEXT) : types.type(Integer.parseInt(row.get(2)));
            attributes.add(new Attribute(
                    Integer.parseInt(row.get(0)),
                    row.get(1),
                    type,
                    Integer.parseInt(row.get(3)),
                    Integer.parseInt(row.get(4)),
                    TypeCatalog.alignment(row.get(5).charAt(0)),
                    row.get(6).charAt(0),
                    row.get(7).equals("t"),
                    dropped,
                    row.get(9).isEmpty() ? Attribute.NOT_GENERATED : row.get(9).charAt(0)));
        }
        int oid = Integer.parseInt(server.query("select '%s'::regclass::oid::bigint".formatted(table)));
        return new RelationLayout(oid, "public", table, attributes);
    }

    /** A table with its indexes and foreign keys. */
    public TableDefinition table(String table) throws SQLException {
        List<TableDefinition.Index> indexes = new ArrayList<>();
        for (List<String> row : server.rows("""
                select indexrelid::bigint, indexrelid::regclass, indisunique, indisexclusion, indkey::text
                from pg_index where indrelid = '%s'::regclass""".formatted(table))) {
            indexes.add(new TableDefinition.Index(
                    Integer.parseInt(row.get(0)),
                    row.get(1),
                    Set.copyOf(numbers(row.get(4))),
                    row.get(2).equals("t"),
                    row.get(3).equals("t")));
        }
        List<TableDefinition.ForeignKey> keys = new ArrayList<>();
        for (List<String> row : server.rows("""
                select conname, array_to_string(conkey, ' '), confrelid::bigint, array_to_string(confkey, ' ')
                from pg_constraint where contype = 'f' and conrelid = '%s'::regclass""".formatted(table))) {
            keys.add(new TableDefinition.ForeignKey(
                    row.get(0), numbers(row.get(1)), Integer.parseInt(row.get(2)), numbers(row.get(3))));
        }
        return TableDefinition.of(layout(table), indexes, keys);
    }

    private static List<Integer> numbers(String text) {
        return Stream.of(text.split(" ")).map(Integer::valueOf).distinct().toList();
    }
}
