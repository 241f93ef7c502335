package dev.coppice.control.catalog.rows;

import dev.coppice.common.Lsn;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.Snapshot;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Reads and writes of snapshots; each runs inside the caller's transaction. */
public final class SnapshotRows {
    private SnapshotRows() {}

    /** Inserts the snapshot, its hidden timeline and the passwords that its branch has now. */
    public static void insert(Connection connection, Snapshot snapshot) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO snapshots (id, project_id, source_branch_id, name, timeline_id, lsn, point_timestamp, manual,
                    created_at, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                snapshot.id(),
                snapshot.projectId(),
                snapshot.sourceBranchId(),
                snapshot.name(),
                snapshot.timelineId(),
                snapshot.lsn(),
                snapshot.timestamp(),
                snapshot.manual(),
                snapshot.createdAt(),
                snapshot.expiresAt());
        Sql.update(connection, """
                INSERT INTO snapshot_roles (snapshot_id, name, sealed_password, verifier)
                SELECT ?::text, name, sealed_password, verifier FROM roles
                WHERE branch_id = ? AND sealed_password IS NOT NULL AND verifier IS NOT NULL""", snapshot.id(), snapshot.sourceBranchId());
        HiddenTimelineRows.insert(
                connection,
                new HiddenTimeline(
                        snapshot.timelineId(),
                        snapshot.projectId(),
                        HiddenTimeline.Kind.SNAPSHOT,
                        null,
                        snapshot.createdAt()));
    }

    /** Gives a branch made from the snapshot the passwords that were stored with it. */
    public static void inheritPasswords(Connection connection, String snapshotId, Branch branch) throws SQLException {
        Sql.update(connection, """
                INSERT INTO roles (branch_id, name, sealed_password, verifier, can_login, is_protected, created_at, updated_at)
                SELECT ?::text, name, sealed_password, verifier, true, false, ?::timestamptz, ?::timestamptz
                FROM snapshot_roles WHERE snapshot_id = ?""", branch.id(), branch.createdAt(), branch.createdAt(), snapshotId);
    }

    /** Changes a snapshot as it is now, others that change it wait; empty when there is none. */
    public static Optional<Snapshot> change(
            Connection connection, String projectId, String id, UnaryOperator<Snapshot> change) throws SQLException {
        Optional<Snapshot> changed = Sql.first(
                        connection,
                        SnapshotRows::snapshot,
                        "SELECT * FROM snapshots WHERE project_id = ? AND id = ? FOR UPDATE",
                        projectId,
                        id)
                .map(change);
        if (changed.isPresent()) {
            update(connection, changed.get());
        }
        return changed;
    }

    /** Writes what may change: name and expiry. */
    private static void update(Connection connection, Snapshot snapshot) throws SQLException {
        Sql.update(
                connection,
                "UPDATE snapshots SET name = ?, expires_at = ? WHERE id = ?",
                snapshot.name(),
                snapshot.expiresAt(),
                snapshot.id());
    }

    /** Deletes the snapshot; its timeline stays only while another one reads from it. */
    public static void delete(Connection connection, Snapshot snapshot) throws SQLException {
        Sql.update(connection, "DELETE FROM snapshots WHERE id = ?", snapshot.id());
        HiddenTimelineRows.retire(connection, snapshot.timelineId());
    }

    /** Lets go of the timelines of all snapshots of a project that is being deleted. */
    public static void retireAll(Connection connection, String projectId) throws SQLException {
        for (Snapshot snapshot : list(connection, projectId)) {
            delete(connection, snapshot);
        }
    }

    /** A project's snapshots, oldest first. */
    public static List<Snapshot> list(Connection connection, String projectId) throws SQLException {
        return Sql.list(
                connection,
                SnapshotRows::snapshot,
                "SELECT * FROM snapshots WHERE project_id = ? ORDER BY created_at, id",
                projectId);
    }

    public static Optional<Snapshot> find(Connection connection, String projectId, String id) throws SQLException {
        return Sql.first(
                connection,
                SnapshotRows::snapshot,
                "SELECT * FROM snapshots WHERE project_id = ? AND id = ?",
                projectId,
                id);
    }

    /** Those whose time has come; those of deleted projects wait. */
    public static List<Snapshot> expired(Connection connection, Instant now) throws SQLException {
        return Sql.list(connection, SnapshotRows::snapshot, """
                SELECT s.* FROM snapshots s JOIN projects p ON p.id = s.project_id
                WHERE s.expires_at <= ? AND p.deleted_at IS NULL""", now);
    }

    /** When something of snapshots is to be done next: an expiry or a schedule; null = nothing. */
    public static @Nullable Instant nextDue(Connection connection) throws SQLException {
        return Sql.list(connection, row -> Optional.ofNullable(Sql.nullableInstant(row, "due")), """
                SELECT least((SELECT min(s.expires_at) FROM snapshots s JOIN projects p ON p.id = s.project_id
                        WHERE p.deleted_at IS NULL),
                    (SELECT min(s.next_at) FROM snapshot_schedules s JOIN branches b ON b.id = s.branch_id
                        WHERE b.state = 'ready')) AS due""")
                .getFirst()
                .orElse(null);
    }

    private static Snapshot snapshot(ResultSet row) throws SQLException {
        return new Snapshot(
                row.getString("id"),
                row.getString("project_id"),
                row.getString("source_branch_id"),
                row.getString("name"),
                row.getString("timeline_id"),
                Lsn.parse(row.getString("lsn")),
                Sql.nullableInstant(row, "point_timestamp"),
                row.getBoolean("manual"),
                Sql.instant(row, "created_at"),
                Sql.nullableInstant(row, "expires_at"));
    }
}
