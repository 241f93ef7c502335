package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.ListedOperation;
import dev.coppice.control.catalog.model.Operation;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads and writes of operations; each runs inside the caller's transaction. */
public final class OperationRows {
    private OperationRows() {}

    public static void insert(Connection connection, Operation operation) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO operations (id, project_id, branch_id, endpoint_id, action, status, error, detail, created_at,
                    updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                operation.id(),
                operation.projectId(),
                operation.branchId(),
                operation.endpointId(),
                operation.action(),
                operation.status().text(),
                operation.error(),
                operation.detail(),
                operation.createdAt(),
                operation.updatedAt());
    }

    public static void finish(
            Connection connection, String id, Operation.Status status, @Nullable String error, Instant now)
            throws SQLException {
        Sql.update(
                connection,
                "UPDATE operations SET status = ?, error = ?, updated_at = ? WHERE id = ?",
                status.text(),
                error,
                now,
                id);
    }

    /** What was begun and neither finished nor failed, oldest first. */
    public static List<Operation> unfinished(Connection connection) throws SQLException {
        return Sql.list(
                connection,
                row -> listed(row).operation(),
                "SELECT * FROM operations WHERE status = 'running' ORDER BY sequence");
    }

    public static Optional<Operation> find(Connection connection, String projectId, String id) throws SQLException {
        return Sql.first(
                connection,
                row -> listed(row).operation(),
                "SELECT * FROM operations WHERE project_id = ? AND id = ?",
                projectId,
                id);
    }

    /**
     * A page of a project's operations, newest first.
     *
     * @param before only those older than this sequence number
     */
    public static List<ListedOperation> list(Connection connection, String projectId, long before, int limit)
            throws SQLException {
        return Sql.list(
                connection,
                OperationRows::listed,
                "SELECT * FROM operations WHERE project_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
                projectId,
                before,
                limit);
    }

    private static ListedOperation listed(ResultSet row) throws SQLException {
        return new ListedOperation(
                new Operation(
                        row.getString("id"),
                        row.getString("project_id"),
                        row.getString("branch_id"),
                        row.getString("endpoint_id"),
                        row.getString("action"),
                        Operation.Status.of(row.getString("status")),
                        row.getString("error"),
                        row.getString("detail"),
                        Sql.instant(row, "created_at"),
                        Sql.instant(row, "updated_at")),
                row.getLong("sequence"));
    }
}
