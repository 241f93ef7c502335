package dev.coppice.masking.rule;

import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.page.ColumnMask;
import dev.coppice.masking.page.HeapPageMasker;
import dev.coppice.masking.page.TransactionStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * How the tables of a branch are masked, for as long as the branch lives: rules that were checked against the catalog at the branch
 * point, the key and the version of the code.
 *
 * @param keyId the key's id; its secret is not part of a plan
 * @param codeVersion {@link #CODE_VERSION} when the plan was made: other code must not serve the branch
 * @param tables by relation OID; also those without rules that have dropped columns
 * @param indexes OIDs of indexes that hold, or depend on, values of masked columns: to be served empty and rebuilt
 * @param views OIDs of materialized views without rules that read masked tables: to be served empty and refreshed
 * @param warnings what users should know
 */
public record MaskPlan(
        String keyId,
        int codeVersion,
        Map<Integer, TablePlan> tables,
        Set<Integer> indexes,
        Set<Integer> views,
        List<String> warnings) {
    /** Rises with every change of what a value is masked to. */
    public static final int CODE_VERSION = 1;

    /**
     * How one table is masked.
     *
     * @param descriptions what is done to each masked column, by its name
     */
    public record TablePlan(RelationLayout layout, List<ColumnMask> columns, Map<String, String> descriptions) {
        public TablePlan {
            columns = List.copyOf(columns);
            descriptions = Map.copyOf(descriptions);
        }
    }

    public MaskPlan {
        tables = Map.copyOf(tables);
        indexes = Set.copyOf(indexes);
        views = Set.copyOf(views);
        warnings = List.copyOf(warnings);
    }

    /** The plan of a table, if its pages are not shown as they are. */
    public Optional<TablePlan> table(int oid) {
        return Optional.ofNullable(tables.get(oid));
    }

    /**
     * A masker for one thread's pages of a table.
     *
     * @throws IllegalArgumentException if the key is another, the code is another version, or the table is not masked
     */
    public HeapPageMasker masker(int oid, MaskKey key, TransactionStatus transactions, boolean checksums) {
        TablePlan table = tables.get(oid);
        if (!key.id().equals(keyId) || codeVersion != CODE_VERSION || table == null) {
            throw new IllegalArgumentException("a plan for key " + keyId + " and code version " + codeVersion
                    + " cannot mask relation " + oid + " with key " + key.id() + " and code version " + CODE_VERSION);
        }
        return new HeapPageMasker(table.layout(), table.columns(), key, transactions, checksums);
    }
}
