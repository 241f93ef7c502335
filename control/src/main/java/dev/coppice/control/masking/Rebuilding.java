package dev.coppice.control.masking;

import dev.coppice.control.masking.CleanPoint.CatalogSql;
import dev.coppice.control.masking.CleanPoint.Rebuild;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds in a masked branch what could not be shown: indexes on masked columns, and materialized views that read them. */
public final class Rebuilding {
    private static final Logger log = LoggerFactory.getLogger(Rebuilding.class);

    private Rebuilding() {}

    /** Hears how far it is. */
    @FunctionalInterface
    public interface Progress {
        void step(String doing, int done, int total);
    }

    /**
     * Rebuilds all of it. What is already rebuilt is skipped, so it can be called again after it was interrupted.
     *
     * @throws SQLException when an index cannot be built: a value on its table cannot be masked, or two became equal
     */
    public static void run(CleanPoint.Databases databases, List<Rebuild> rebuilds, Progress progress)
            throws SQLException {
        int total = rebuilds.stream()
                .mapToInt(rebuild -> rebuild.indexes().size() + rebuild.views().size())
                .sum();
        int done = 0;
        for (Rebuild rebuild : rebuilds) {
            if (rebuild.indexes().isEmpty() && rebuild.views().isEmpty()) {
                continue;
            }
            try (Connection connection = databases.open(rebuild.database())) {
                List<String> indexes = rebuild.indexes().isEmpty()
                        ? List.of()
                        : CatalogSql.texts(
                                connection,
                                "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid AND indexrelid IN ("
                                        + CatalogSql.oids(rebuild.indexes()) + ") ORDER BY indexrelid");
                done += rebuild.indexes().size() - indexes.size();
                for (String index : indexes) {
                    progress.step("building index " + index + " of database " + rebuild.database(), done, total);
                    CatalogSql.execute(connection, "REINDEX INDEX " + index);
                    done++;
                }
                refresh(connection, rebuild, progress, done, total);
                done += rebuild.views().size();
            }
        }
    }

    /** A view may read another one, which has to be refreshed first: as many rounds as there are views, at most. */
    private static void refresh(Connection connection, Rebuild rebuild, Progress progress, int done, int total)
            throws SQLException {
        if (rebuild.views().isEmpty()) {
            return;
        }
        List<String> open = CatalogSql.texts(
                connection,
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' AND NOT relispopulated AND oid IN ("
                        + CatalogSql.oids(rebuild.views()) + ") ORDER BY oid");
        int left = Integer.MAX_VALUE;
        while (!open.isEmpty() && open.size() < left) {
            left = open.size();
            List<String> failed = new ArrayList<>();
            for (String view : open) {
                progress.step(
                        "refreshing " + view + " of database " + rebuild.database(),
                        done + rebuild.views().size() - open.size(),
                        total);
                try {
                    CatalogSql.execute(connection, "REFRESH MATERIALIZED VIEW " + view);
                } catch (SQLException e) {
                    log.info("Materialized view {} stays empty for now: {}", view, e.getMessage());
                    failed.add(view);
                }
            }
            open = failed;
        }
    }
}
