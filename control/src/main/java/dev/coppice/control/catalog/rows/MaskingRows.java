package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.BranchMasking;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Reads and writes of what anonymized branches hide; each runs inside the caller's transaction. */
public final class MaskingRows {
    private MaskingRows() {}

    /** A project's masking key, sealed and in base64. */
    public record SealedKey(String id, String sealed) {}

    public static Optional<BranchMasking> find(Connection connection, String branchId) throws SQLException {
        return Sql.first(
                connection, MaskingRows::masking, "SELECT * FROM branch_masking WHERE branch_id = ?", branchId);
    }

    /** Every anonymized branch. */
    public static List<BranchMasking> all(Connection connection) throws SQLException {
        return Sql.list(connection, MaskingRows::masking, "SELECT * FROM branch_masking ORDER BY branch_id");
    }

    /** Inserts the row, or replaces all of it but the time of its creation. */
    public static void put(Connection connection, BranchMasking masking) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO branch_masking (branch_id, rules, version, applied_version, state, message, steps_done,
                    steps_total, error, created_at, updated_at, failed_at)
                VALUES (?, ?, ?, ?::integer, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz)
                ON CONFLICT (branch_id) DO UPDATE SET rules = excluded.rules, version = excluded.version,
                    applied_version = excluded.applied_version, state = excluded.state, message = excluded.message,
                    steps_done = excluded.steps_done, steps_total = excluded.steps_total, error = excluded.error,
                    updated_at = excluded.updated_at, failed_at = excluded.failed_at""",
                masking.branchId(),
                masking.rules(),
                masking.version(),
                masking.appliedVersion(),
                masking.state().text(),
                masking.message(),
                masking.stepsDone(),
                masking.stepsTotal(),
                masking.error(),
                masking.createdAt(),
                masking.updatedAt(),
                masking.failedAt());
    }

    public static Optional<SealedKey> key(Connection connection, String projectId) throws SQLException {
        return Sql.first(
                connection,
                row -> new SealedKey(row.getString("id"), row.getString("sealed")),
                "SELECT id, sealed FROM masking_keys WHERE project_id = ?",
                projectId);
    }

    /** Stores a project's first key, unless it has one. */
    public static void insertKey(Connection connection, String projectId, SealedKey key, Instant now)
            throws SQLException {
        Sql.update(connection, """
                INSERT INTO masking_keys (project_id, id, sealed, created_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (project_id) DO NOTHING""", projectId, key.id(), key.sealed(), now);
    }

    private static BranchMasking masking(ResultSet row) throws SQLException {
        int applied = row.getInt("applied_version");
        boolean neverApplied = row.wasNull();
        return new BranchMasking(
                row.getString("branch_id"),
                row.getString("rules"),
                row.getInt("version"),
                neverApplied ? null : applied,
                BranchMasking.State.of(row.getString("state")),
                row.getString("message"),
                row.getInt("steps_done"),
                row.getInt("steps_total"),
                row.getString("error"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"),
                Sql.nullableInstant(row, "failed_at"));
    }
}
