package dev.coppice.control.operation;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.ListedOperation;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.id.Ids;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Writes down what is being done, so that the next start finds what a kill interrupted. Thread-safe. */
public final class OperationLog {
    private final Catalog catalog;
    private final Ids ids;
    private final Clock clock;

    /** @param clock as precise as the catalog: microseconds */
    public OperationLog(Catalog catalog, Ids ids, Clock clock) {
        this.catalog = catalog;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * A page of a project's operations, newest first.
     *
     * @param before only those older than this sequence number
     */
    public List<ListedOperation> list(String projectId, long before, int limit) {
        return catalog.transaction(connection -> OperationRows.list(connection, projectId, before, limit));
    }

    public Optional<Operation> find(String projectId, String id) {
        return catalog.transaction(connection -> OperationRows.find(connection, projectId, id));
    }

    /** An operation that begins now; nothing is written yet. */
    public Operation draft(
            String projectId,
            @Nullable String branchId,
            @Nullable String endpointId,
            String action,
            Operation.Status status,
            @Nullable String detail) {
        Instant now = clock.instant();
        return new Operation(ids.operation(), projectId, branchId, endpointId, action, status, null, detail, now, now);
    }

    /** Writes an operation down, in a transaction of its own. */
    public void record(Operation operation) {
        catalog.transaction(connection -> {
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
    }

    /** Notes that an operation is done, in the caller's transaction. */
    public void finish(Connection connection, Operation operation) throws SQLException {
        OperationRows.finish(connection, operation.id(), Operation.Status.FINISHED, null, clock.instant());
    }

    /** Notes that an operation is done, in a transaction of its own. */
    public void finish(Operation operation) {
        catalog.transaction(connection -> {
            finish(connection, operation);
            return Boolean.TRUE;
        });
    }

    /** Notes why an operation failed, in the caller's transaction. */
    public void fail(Connection connection, Operation operation, @Nullable String error) throws SQLException {
        OperationRows.finish(connection, operation.id(), Operation.Status.FAILED, error, clock.instant());
    }

    /** Notes why an operation failed, in a transaction of its own. */
    public void fail(Operation operation, String error) {
        catalog.transaction(connection -> {
            fail(connection, operation, error);
            return Boolean.TRUE;
        });
    }

    /** The same operation, done now; nothing is written. */
    public Operation finished(Operation operation) {
        return operation.finished(clock.instant());
    }
}
