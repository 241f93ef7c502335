package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.SnapshotPlan;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/** Reads and writes of the schedules of snapshots; each runs inside the caller's transaction. */
public final class SnapshotPlanRows {
    private SnapshotPlanRows() {}

    /** A plan whose time has come. */
    public record Due(String branchId, int position, SnapshotPlan plan) {}

    /** Replaces the plans of a branch. */
    public static void replace(Connection connection, String branchId, List<SnapshotPlan> plans, Instant now)
            throws SQLException {
        Sql.update(connection, "DELETE FROM snapshot_schedules WHERE branch_id = ?", branchId);
        for (int position = 0; position < plans.size(); position++) {
            SnapshotPlan plan = plans.get(position);
            Sql.update(
                    connection,
                    """
                    INSERT INTO snapshot_schedules (branch_id, position, frequency, hour, day, month, retention_seconds,
                        next_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                    branchId,
                    position,
                    plan.frequency().text(),
                    plan.hour(),
                    plan.day(),
                    plan.month(),
                    plan.retentionSeconds(),
                    plan.after(now));
        }
    }

    public static List<SnapshotPlan> list(Connection connection, String branchId) throws SQLException {
        return Sql.list(
                connection,
                SnapshotPlanRows::plan,
                "SELECT * FROM snapshot_schedules WHERE branch_id = ? ORDER BY position",
                branchId);
    }

    /** Those whose time has come, of branches that are there. */
    public static List<Due> due(Connection connection, Instant now) throws SQLException {
        return Sql.list(
                connection, row -> new Due(row.getString("branch_id"), row.getInt("position"), plan(row)), """
                SELECT s.* FROM snapshot_schedules s JOIN branches b ON b.id = s.branch_id
                WHERE s.next_at <= ? AND b.state = 'ready'""", now);
    }

    /** Says when a plan is due next. */
    public static void advance(Connection connection, Due due, Instant next) throws SQLException {
        Sql.update(
                connection,
                "UPDATE snapshot_schedules SET next_at = ? WHERE branch_id = ? AND position = ?",
                next,
                due.branchId(),
                due.position());
    }

    private static SnapshotPlan plan(ResultSet row) throws SQLException {
        return new SnapshotPlan(
                SnapshotPlan.Frequency.of(row.getString("frequency")),
                Sql.nullableInteger(row, "hour"),
                Sql.nullableInteger(row, "day"),
                Sql.nullableInteger(row, "month"),
                Sql.nullableInteger(row, "retention_seconds"));
    }
}
