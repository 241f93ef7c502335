package dev.coppice.control.masking;

import dev.coppice.masking.MaskingException;
import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.page.ColumnMask;
import dev.coppice.masking.page.HeapPageMasker;
import dev.coppice.masking.page.MissingValues;
import dev.coppice.masking.page.PointerCensus;
import dev.coppice.masking.page.ToastPageMasker;
import dev.coppice.masking.page.TransactionStatus;
import dev.coppice.masking.rule.MaskPlan.TablePlan;
import dev.coppice.storage.boundary.Boundary;
import dev.coppice.storage.fault.StorageException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** How each relation of one database appears. */
final class RelationViews {
    /** Catalogs that the clean point emptied, by OID: pg_statistic, pg_statistic_ext_data, pg_largeobject. */
    private static final Map<Integer, Protection> EMPTIED = Map.of(
            2619, Protection.STATISTICS,
            3429, Protection.STATISTICS,
            2613, Protection.LARGE_OBJECTS,
            2609, Protection.COMMENTS,
            3596, Protection.COMMENTS);

    private final DatabasePlan database;
    private final MaskKey key;
    private final TransactionStatus transactions;
    private final Boundary.ParentFiles files;
    private final Set<Protection> protections;
    private final Map<Integer, DatabaseCatalog.Relation> byOid = new HashMap<>();

    RelationViews(
            DatabasePlan database,
            MaskKey key,
            TransactionStatus transactions,
            Boundary.ParentFiles files,
            Set<Protection> protections) {
        this.database = database;
        this.key = key;
        this.transactions = transactions;
        this.files = files;
        this.protections = protections;
        database.catalog().relations().forEach(relation -> byOid.put(relation.oid(), relation));
    }

    /** The views by the path of the relation's first file. */
    Map<String, RelationView> all() {
        Map<Integer, RelationView> views = new HashMap<>();
        for (DatabaseCatalog.Relation relation : database.catalog().relations()) {
            views.put(relation.oid(), view(relation));
        }
        for (TablePlan table : database.plan().tables().values()) {
            DatabaseCatalog.Relation relation = byOid.get(table.layout().oid());
            if (relation != null && relation.toast() != 0) {
                views.put(relation.toast(), toast(table, relation));
            }
        }
        for (DatabaseCatalog.Relation relation : database.catalog().relations()) {
            Protection emptied = EMPTIED.get(relation.oid());
            if (emptied != null && relation.toast() != 0 && protections.contains(emptied)) {
                views.put(relation.toast(), RelationView.EMPTY);
            }
        }
        Map<String, RelationView> paths = new HashMap<>();
        views.forEach((oid, view) -> {
            DatabaseCatalog.Relation relation = byOid.get(oid);
            if (relation != null && relation.fileNode() != 0) {
                paths.put(path(relation), view);
            }
        });
        return paths;
    }

    private String path(DatabaseCatalog.Relation relation) {
        String directory = relation.shared()
                ? "global"
                : "base/" + Integer.toUnsignedString(database.catalog().oid());
        return directory + "/" + relation.fileNode();
    }

    private RelationView view(DatabaseCatalog.Relation relation) {
        if (database.indexes().contains(relation.oid())) {
            return protections.contains(Protection.INDEXES) ? RelationView.HIDDEN : RelationView.SHOWN;
        }
        if (database.plan().views().contains(relation.oid())) {
            return protections.contains(Protection.MATERIALIZED_VIEWS) ? RelationView.EMPTY : RelationView.SHOWN;
        }
        Protection emptied = EMPTIED.get(relation.oid());
        if (emptied != null) {
            return protections.contains(emptied) ? RelationView.EMPTY : RelationView.SHOWN;
        }
        if (relation.oid() == CatalogQuery.PG_ATTRIBUTE) {
            return protections.contains(Protection.MISSING_VALUES) ? catalogOfColumns() : RelationView.SHOWN;
        }
        return database.plan()
                .table(relation.oid())
                .filter(table -> protections.contains(Protection.HEAP_PAGES))
                .map(table -> masked(table.layout(), table.columns()))
                .orElse(RelationView.SHOWN);
    }

    private RelationView catalogOfColumns() {
        RelationLayout layout = database.catalog().pgAttribute();
        MissingValues values = new MissingValues(layout);
        for (var table : database.catalog().tables()) {
            values.add(
                    table.layout(),
                    database.plan()
                            .table(table.layout().oid())
                            .map(TablePlan::columns)
                            .orElse(List.of()));
        }
        return masked(layout, values.masks(layout));
    }

    private RelationView masked(RelationLayout layout, List<ColumnMask> columns) {
        // A masker is for one thread; as many are made as work at once.
        Queue<HeapPageMasker> idle = new ConcurrentLinkedQueue<>();
        boolean checksums = database.catalog().checksums();
        return RelationView.pages((page, block) -> {
            HeapPageMasker masker = idle.poll();
            if (masker == null) {
                masker = new HeapPageMasker(layout, columns, key, transactions, checksums);
            }
            try {
                byte[] masked = masker.mask(page, block);
                idle.add(masker);
                return masked;
            } catch (RuntimeException e) {
                throw refusal(e);
            }
        });
    }

    private RelationView toast(TablePlan table, DatabaseCatalog.Relation relation) {
        Set<Integer> masked = table.columns().stream().map(ColumnMask::number).collect(Collectors.toSet());
        if (!PointerCensus.isNeeded(table.layout(), masked) || !protections.contains(Protection.TOAST_PAGES)) {
            return RelationView.SHOWN;
        }
        ShownValues shown = new ShownValues(table.layout(), new HashSet<>(masked), path(relation), files, transactions);
        boolean checksums = database.catalog().checksums();
        Supplier<ToastPageMasker> maskers = () -> new ToastPageMasker(checksums);
        Queue<ToastPageMasker> idle = new ConcurrentLinkedQueue<>();
        return RelationView.pages((page, block) -> {
            ToastPageMasker masker = idle.poll();
            if (masker == null) {
                masker = maskers.get();
            }
            try {
                byte[] result = masker.mask(page, block, shown.get());
                idle.add(masker);
                return result;
            } catch (RuntimeException e) {
                throw refusal(e);
            }
        });
    }

    /** Whatever goes wrong with a page is an error of that page. Only our own messages are known to quote no value. */
    private static StorageException refusal(RuntimeException failure) {
        if (failure instanceof StorageException known) {
            return known;
        }
        String reason = failure instanceof MaskingException
                ? String.valueOf(failure.getMessage())
                : failure.getClass().getSimpleName();
        return new StorageException("a page cannot be masked and is not shown: " + reason, failure);
    }
}
