package dev.coppice.control.masking;

import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.layout.ScalarType;
import dev.coppice.masking.layout.TypeCatalog;
import dev.coppice.masking.rule.TableDefinition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * What {@link CatalogQuery} found in one database.
 *
 * @param relations everything with a file, system catalogs included
 * @param tables what users made: tables, partitions, materialized views
 * @param codeIndexes OIDs of indexes whose expressions call functions that users made: they may hold anything
 */
record DatabaseCatalog(
        String name,
        int oid,
        String encoding,
        boolean checksums,
        List<Relation> relations,
        List<TableDefinition> tables,
        RelationLayout pgAttribute,
        Set<Integer> codeIndexes) {

    /**
     * A relation with a file.
     *
     * @param fileNode the name of its first file
     * @param toast the OID of its TOAST table, or 0
     * @param shared whether it is the whole cluster's
     */
    record Relation(int oid, String schema, String name, char kind, long fileNode, int toast, boolean shared) {
        boolean isUsers() {
            return Integer.compareUnsigned(oid, CatalogQuery.FIRST_USER_OID) >= 0;
        }
    }

    static DatabaseCatalog parse(JsonNode root) {
        List<Relation> relations = new ArrayList<>();
        for (JsonNode row : root.path("relations")) {
            relations.add(new Relation(
                    oid(row, 0),
                    row.path(1).stringValue(),
                    row.path(2).stringValue(),
                    character(row, 3),
                    row.path(4).longValue(),
                    oid(row, 5),
                    row.path(6).booleanValue()));
        }
        Map<Integer, List<Attribute>> attributes = attributes(root, types(root));
        Set<Integer> codeIndexes = new HashSet<>();
        for (JsonNode row : root.path("indexes")) {
            if (row.path(7).booleanValue()) {
                codeIndexes.add(oid(row, 0));
            }
        }
        List<Attribute> own = attributes.get(CatalogQuery.PG_ATTRIBUTE);
        if (own == null) {
            throw new IllegalArgumentException("the catalog does not describe pg_attribute");
        }
        return new DatabaseCatalog(
                root.path("database").stringValue(),
                (int) root.path("oid").longValue(),
                root.path("encoding").stringValue(),
                root.path("checksums").stringValue().equals("on"),
                relations,
                new Tables(root, relations, attributes).all(),
                new RelationLayout(CatalogQuery.PG_ATTRIBUTE, "pg_catalog", "pg_attribute", own),
                codeIndexes);
    }

    private static TypeCatalog types(JsonNode root) {
        List<TypeCatalog.TypeRow> rows = new ArrayList<>();
        for (JsonNode row : root.path("types")) {
            rows.add(new TypeCatalog.TypeRow(
                    oid(row, 0),
                    row.path(1).stringValue(),
                    character(row, 2),
                    row.path(3).intValue(),
                    character(row, 4),
                    oid(row, 5),
                    oid(row, 6)));
        }
        Map<Integer, List<DataType.Label>> labels = new HashMap<>();
        for (JsonNode row : root.path("labels")) {
            labels.computeIfAbsent(oid(row, 0), type -> new ArrayList<>())
                    .add(new DataType.Label(oid(row, 1), row.path(2).stringValue()));
        }
        Map<Integer, Integer> ranges = new HashMap<>();
        for (JsonNode row : root.path("ranges")) {
            ranges.put(oid(row, 0), oid(row, 1));
        }
        return new TypeCatalog(rows, labels, ranges);
    }

    private static Map<Integer, List<Attribute>> attributes(JsonNode root, TypeCatalog types) {
        Map<Integer, List<Attribute>> byTable = new HashMap<>();
        for (JsonNode row : root.path("attributes")) {
            boolean dropped = row.path(9).booleanValue();
            String generated = row.path(10).stringValue();
            byTable.computeIfAbsent(oid(row, 0), table -> new ArrayList<>())
                    .add(new Attribute(
                            row.path(1).intValue(),
                            row.path(2).stringValue(),
                            dropped ? DataType.of(ScalarType.TEXT) : types.type(oid(row, 3)),
                            row.path(4).intValue(),
                            row.path(5).intValue(),
                            TypeCatalog.alignment(character(row, 6)),
                            character(row, 7),
                            row.path(8).booleanValue(),
                            dropped,
                            generated.isEmpty() ? Attribute.NOT_GENERATED : generated.charAt(0)));
        }
        return byTable;
    }

    /** An OID is unsigned in SQL and an int in the masking module. */
    private static int oid(JsonNode row, int column) {
        return (int) row.path(column).longValue();
    }

    private static char character(JsonNode row, int column) {
        return row.path(column).stringValue().charAt(0);
    }

    /** Puts together what the rows say of each table. */
    private record Tables(JsonNode root, List<Relation> relations, Map<Integer, List<Attribute>> attributes) {
        List<TableDefinition> all() {
            Map<Integer, List<TableDefinition.Index>> indexes = new HashMap<>();
            for (JsonNode row : root.path("indexes")) {
                int table = oid(row, 1);
                indexes.computeIfAbsent(table, key -> new ArrayList<>())
                        .add(new TableDefinition.Index(
                                oid(row, 0),
                                row.path(2).stringValue(),
                                columns(table, row.path(3).stringValue(), row.path(6)),
                                row.path(4).booleanValue(),
                                row.path(5).booleanValue()));
            }
            Map<Integer, List<TableDefinition.ForeignKey>> keys = new HashMap<>();
            for (JsonNode row : root.path("foreignKeys")) {
                keys.computeIfAbsent(oid(row, 1), key -> new ArrayList<>())
                        .add(new TableDefinition.ForeignKey(
                                row.path(0).stringValue(), numbers(row.path(2)), oid(row, 3), numbers(row.path(4))));
            }
            Map<Integer, Set<Integer>> parents = new HashMap<>();
            for (JsonNode row : root.path("inherits")) {
                parents.computeIfAbsent(oid(row, 0), key -> new LinkedHashSet<>())
                        .add(oid(row, 1));
            }
            Map<Integer, Set<Integer>> partitionKeys = new HashMap<>();
            for (JsonNode row : root.path("partitionKeys")) {
                partitionKeys.put(oid(row, 0), columns(oid(row, 0), row.path(1).stringValue(), row.path(2)));
            }
            Map<Integer, Map<Integer, Set<Integer>>> generated = new HashMap<>();
            for (JsonNode row : root.path("generated")) {
                generated
                        .computeIfAbsent(oid(row, 0), key -> new HashMap<>())
                        .put(row.path(1).intValue(), columns(oid(row, 0), "", row.path(2)));
            }
            List<TableDefinition> tables = new ArrayList<>();
            for (Relation relation : relations) {
                List<Attribute> own = attributes.get(relation.oid());
                TableDefinition.Kind kind = kind(relation.kind());
                if (relation.isUsers() && kind != null) {
                    tables.add(new TableDefinition(
                            new RelationLayout(
                                    relation.oid(), relation.schema(), relation.name(), own == null ? List.of() : own),
                            kind,
                            indexes.getOrDefault(relation.oid(), List.of()),
                            keys.getOrDefault(relation.oid(), List.of()),
                            parents.getOrDefault(relation.oid(), Set.of()),
                            partitionKeys.getOrDefault(relation.oid(), Set.of()),
                            generated.getOrDefault(relation.oid(), Map.of()),
                            kind == TableDefinition.Kind.MATERIALIZED_VIEW ? read(relation.oid()) : Set.of()));
                }
            }
            return tables;
        }

        private static TableDefinition.@org.jspecify.annotations.Nullable Kind kind(char kind) {
            return switch (kind) {
                case 'r' -> TableDefinition.Kind.TABLE;
                case 'p' -> TableDefinition.Kind.PARTITIONED_TABLE;
                case 'm' -> TableDefinition.Kind.MATERIALIZED_VIEW;
                default -> null;
            };
        }

        /** Key columns and those that expressions read; a whole row is every column. */
        private Set<Integer> columns(int table, String keys, JsonNode read) {
            Set<Integer> columns = new TreeSet<>();
            Stream.of(keys.split(" "))
                    .filter(key -> !key.isEmpty())
                    .map(Integer::valueOf)
                    .forEach(columns::add);
            columns.remove(0);
            boolean whole = false;
            for (JsonNode number : read) {
                whole |= number.intValue() == 0;
                if (number.intValue() > 0) {
                    columns.add(number.intValue());
                }
            }
            if (whole) {
                attributes.getOrDefault(table, List.of()).forEach(attribute -> columns.add(attribute.number()));
            }
            return columns;
        }

        /** What a view reads, through other views too; all there is when it calls functions that users made. */
        private Set<Integer> read(int view) {
            Map<Integer, JsonNode> views = new HashMap<>();
            root.path("views").forEach(row -> views.put(oid(row, 0), row));
            Set<Integer> found = new LinkedHashSet<>();
            List<Integer> open = new ArrayList<>(List.of(view));
            while (!open.isEmpty()) {
                JsonNode row = views.get(open.removeLast());
                if (row == null) {
                    continue;
                }
                if (row.path(2).booleanValue()) {
                    relations.forEach(relation -> found.add(relation.oid()));
                }
                for (JsonNode each : row.path(1)) {
                    int oid = (int) each.longValue();
                    if (found.add(oid)) {
                        open.add(oid);
                    }
                }
            }
            return found;
        }

        private static List<Integer> numbers(JsonNode array) {
            List<Integer> numbers = new ArrayList<>();
            array.forEach(number -> numbers.add(number.intValue()));
            return numbers;
        }
    }
}
