package dev.coppice.masking.rule;

import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.RelationLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the catalog says of a table, partition or materialized view, as far as rules depend on it.
 *
 * @param parents OIDs of the tables that it inherits from or is a partition of
 * @param partitionKey numbers of the columns that it is partitioned by
 * @param generatedFrom by the number of a stored generated column: the columns that its expression reads
 * @param dependsOn of a materialized view: the OIDs of the relations that its query reads
 */
public record TableDefinition(
        RelationLayout layout,
        Kind kind,
        List<Index> indexes,
        List<ForeignKey> foreignKeys,
        Set<Integer> parents,
        Set<Integer> partitionKey,
        Map<Integer, Set<Integer>> generatedFrom,
        Set<Integer> dependsOn) {
    /** What a relation is. */
    public enum Kind {
        TABLE,
        PARTITIONED_TABLE,
        MATERIALIZED_VIEW
    }

    /**
     * An index.
     *
     * @param columns the numbers of all columns that it holds or that its expressions and its predicate read
     * @param unique whether it forbids equal values (a primary key does too)
     * @param exclusion whether it enforces an exclusion constraint
     */
    public record Index(int oid, String name, Set<Integer> columns, boolean unique, boolean exclusion) {}

    /** A foreign key; the lists of column numbers correspond. */
    public record ForeignKey(String name, List<Integer> columns, int referenced, List<Integer> referencedColumns) {}

    /** A table that nothing else refers to. */
    public static TableDefinition of(RelationLayout layout, List<Index> indexes, List<ForeignKey> foreignKeys) {
        return new TableDefinition(layout, Kind.TABLE, indexes, foreignKeys, Set.of(), Set.of(), Map.of(), Set.of());
    }

    int oid() {
        return layout.oid();
    }

    /** A column that is not dropped. */
    Optional<Attribute> column(String name) {
        return layout.attributes().stream()
                .filter(attribute -> !attribute.dropped() && attribute.name().equals(name))
                .findFirst();
    }

    boolean isUnique(int column) {
        return indexes.stream()
                .anyMatch(index -> index.unique() && index.columns().contains(column));
    }
}
