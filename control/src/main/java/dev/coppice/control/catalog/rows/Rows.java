package dev.coppice.control.catalog.rows;

import dev.coppice.common.Lsn;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.error.ControlException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;

/** Reads and writes of projects, branches and endpoints; each runs inside the caller's transaction. */
public final class Rows {
    private Rows() {}

    public static void insert(Connection connection, Project project) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO projects (id, name, pg_version, history_retention_seconds, settings, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)""",
                project.id(),
                project.name(),
                project.pgVersion(),
                project.historyRetentionSeconds(),
                SettingsText.write(project.settings()),
                project.createdAt(),
                project.updatedAt());
    }

    /**
     * Changes a project as it is in the catalog now, whatever the caller saw of it before; others that change it wait.
     *
     * @return the project as it is then
     */
    public static Project changeProject(Connection connection, String id, UnaryOperator<Project> change)
            throws SQLException {
        Project before = Sql.first(connection, Rows::project, "SELECT * FROM projects WHERE id = ? FOR UPDATE", id)
                .orElseThrow(() -> gone("project", id));
        Project changed = change.apply(before);
        update(connection, changed);
        return changed;
    }

    /** As {@link #changeProject}, of a branch. */
    public static Branch changeBranch(Connection connection, String id, UnaryOperator<Branch> change)
            throws SQLException {
        Branch before = Sql.first(connection, Rows::branch, "SELECT * FROM branches WHERE id = ? FOR UPDATE", id)
                .orElseThrow(() -> gone("branch", id));
        Branch changed = change.apply(before);
        update(connection, changed);
        return changed;
    }

    /** As {@link #changeProject}, of an endpoint; writes its settings, and nothing that {@link #touchEndpoint} writes. */
    public static Endpoint changeEndpoint(Connection connection, String id, UnaryOperator<Endpoint> change)
            throws SQLException {
        Endpoint before = Sql.first(connection, Rows::endpoint, "SELECT * FROM endpoints WHERE id = ? FOR UPDATE", id)
                .orElseThrow(() -> gone("endpoint", id));
        Endpoint changed = change.apply(before);
        updateSettings(connection, changed);
        return changed;
    }

    private static ControlException gone(String what, String id) {
        return ControlException.notFound(what + " \"" + id + "\" not found");
    }

    private static void update(Connection connection, Project project) throws SQLException {
        Sql.update(
                connection,
                "UPDATE projects SET name = ?, history_retention_seconds = ?, settings = ?, deleted_at = ?, updated_at = ?"
                        + " WHERE id = ?",
                project.name(),
                project.historyRetentionSeconds(),
                SettingsText.write(project.settings()),
                project.deletedAt(),
                project.updatedAt(),
                project.id());
    }

    /** Deletes the project with everything in it. */
    public static void deleteProject(Connection connection, String id) throws SQLException {
        Sql.update(connection, "DELETE FROM projects WHERE id = ?", id);
    }

    public static void insert(Connection connection, Branch branch) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO branches (id, project_id, parent_id, parent_lsn, parent_timestamp, name, timeline_id, state,
                    is_default, is_protected, creation_source, last_reset_at, continues_parent, init_source, expires_at,
                    ttl_interval_seconds, deleted_at, deletion_method, restored_from, restored_as, restore_status,
                    created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                branch.id(),
                branch.projectId(),
                branch.parentId(),
                branch.parentLsn(),
                branch.parentTimestamp(),
                branch.name(),
                branch.timelineId(),
                branch.state().text(),
                branch.isDefault(),
                branch.isProtected(),
                branch.creationSource(),
                branch.lastResetAt(),
                branch.continuesParent(),
                branch.life().initSource(),
                branch.life().expiresAt(),
                branch.life().ttlSeconds(),
                branch.life().deletedAt(),
                branch.life().deletionMethod(),
                branch.life().restoredFrom(),
                branch.life().restoredAs(),
                branch.life().restoreStatus(),
                branch.createdAt(),
                branch.updatedAt());
    }

    /** Writes what may change: parent, name, state, timeline and flags. The row must be locked since it was read. */
    private static void update(Connection connection, Branch branch) throws SQLException {
        Sql.update(
                connection,
                """
                UPDATE branches SET parent_id = ?, parent_lsn = ?, parent_timestamp = ?, name = ?, state = ?,
                    timeline_id = ?, is_default = ?, is_protected = ?, last_reset_at = ?, continues_parent = ?,
                    init_source = ?, expires_at = ?, ttl_interval_seconds = ?, deleted_at = ?, deletion_method = ?,
                    restored_from = ?, restored_as = ?, restore_status = ?, updated_at = ?
                WHERE id = ?""",
                branch.parentId(),
                branch.parentLsn(),
                branch.parentTimestamp(),
                branch.name(),
                branch.state().text(),
                branch.timelineId(),
                branch.isDefault(),
                branch.isProtected(),
                branch.lastResetAt(),
                branch.continuesParent(),
                branch.life().initSource(),
                branch.life().expiresAt(),
                branch.life().ttlSeconds(),
                branch.life().deletedAt(),
                branch.life().deletionMethod(),
                branch.life().restoredFrom(),
                branch.life().restoredAs(),
                branch.life().restoreStatus(),
                branch.updatedAt(),
                branch.id());
    }

    public static void deleteBranch(Connection connection, String id) throws SQLException {
        Sql.update(connection, "DELETE FROM branches WHERE id = ?", id);
    }

    public static void insert(Connection connection, Endpoint endpoint) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO endpoints (id, project_id, branch_id, type, suspend_timeout_seconds, disabled, settings,
                    was_awake, last_active, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                endpoint.id(),
                endpoint.projectId(),
                endpoint.branchId(),
                endpoint.type(),
                endpoint.suspendTimeoutSeconds(),
                endpoint.disabled(),
                SettingsText.write(endpoint.settings()),
                endpoint.wasAwake(),
                endpoint.lastActive(),
                endpoint.createdAt(),
                endpoint.updatedAt());
    }

    /** Notes whether the endpoint's compute runs, and nothing else, so it cannot undo a change of settings. */
    public static void touchEndpoint(Connection connection, String id, boolean awake, Instant lastActive)
            throws SQLException {
        Sql.update(
                connection, "UPDATE endpoints SET was_awake = ?, last_active = ? WHERE id = ?", awake, lastActive, id);
    }

    private static void updateSettings(Connection connection, Endpoint endpoint) throws SQLException {
        Sql.update(
                connection,
                "UPDATE endpoints SET suspend_timeout_seconds = ?, disabled = ?, settings = ?, updated_at = ? WHERE id = ?",
                endpoint.suspendTimeoutSeconds(),
                endpoint.disabled(),
                SettingsText.write(endpoint.settings()),
                endpoint.updatedAt(),
                endpoint.id());
    }

    /** Gives the endpoint to another branch, which must have none. */
    public static void moveEndpoint(Connection connection, String id, String branchId, Instant now)
            throws SQLException {
        Sql.update(connection, "UPDATE endpoints SET branch_id = ?, updated_at = ? WHERE id = ?", branchId, now, id);
    }

    public static void deleteEndpoint(Connection connection, String id) throws SQLException {
        Sql.update(connection, "DELETE FROM endpoints WHERE id = ?", id);
    }

    public static List<String> projectIds(Connection connection) throws SQLException {
        return Sql.list(connection, row -> row.getString("id"), "SELECT id FROM projects");
    }

    public static List<Project> projects(Connection connection, String project) throws SQLException {
        return Sql.list(connection, Rows::project, "SELECT * FROM projects WHERE id = ?", project);
    }

    private static Project project(ResultSet row) throws SQLException {
        return new Project(
                row.getString("id"),
                row.getString("name"),
                row.getInt("pg_version"),
                row.getInt("history_retention_seconds"),
                SettingsText.read(row.getString("settings"), ProjectSettings.class),
                Sql.nullableInstant(row, "deleted_at"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }

    public static List<Branch> branches(Connection connection, String project) throws SQLException {
        return Sql.list(connection, Rows::branch, "SELECT * FROM branches WHERE project_id = ?", project);
    }

    public static List<Endpoint> endpoints(Connection connection, String project) throws SQLException {
        return Sql.list(connection, Rows::endpoint, "SELECT * FROM endpoints WHERE project_id = ?", project);
    }

    private static Branch branch(ResultSet row) throws SQLException {
        String parentLsn = row.getString("parent_lsn");
        return new Branch(
                row.getString("id"),
                row.getString("project_id"),
                row.getString("parent_id"),
                parentLsn == null ? null : Lsn.parse(parentLsn),
                Sql.nullableInstant(row, "parent_timestamp"),
                row.getString("name"),
                row.getString("timeline_id"),
                BranchState.of(row.getString("state")),
                row.getBoolean("is_default"),
                row.getBoolean("is_protected"),
                row.getString("creation_source"),
                Sql.nullableInstant(row, "last_reset_at"),
                row.getBoolean("continues_parent"),
                life(row),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }

    private static BranchLife life(ResultSet row) throws SQLException {
        return new BranchLife(
                row.getString("init_source"),
                Sql.nullableInstant(row, "expires_at"),
                Sql.nullableInteger(row, "ttl_interval_seconds"),
                Sql.nullableInstant(row, "deleted_at"),
                row.getString("deletion_method"),
                row.getString("restored_from"),
                row.getString("restored_as"),
                row.getString("restore_status"));
    }

    private static Endpoint endpoint(ResultSet row) throws SQLException {
        return new Endpoint(
                row.getString("id"),
                row.getString("project_id"),
                row.getString("branch_id"),
                row.getString("type"),
                row.getInt("suspend_timeout_seconds"),
                row.getBoolean("disabled"),
                SettingsText.read(row.getString("settings"), ProjectSettings.EndpointSettings.class),
                row.getBoolean("was_awake"),
                Sql.nullableInstant(row, "last_active"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }
}
