package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.RoleMasking;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;

/** Reads and writes of which roles are masked; each runs inside the caller's transaction. */
public final class RoleMaskingRows {
    private RoleMaskingRows() {}

    /** Stores a declaration; the first one's time of creation stays. */
    public static void put(Connection connection, RoleMasking masking) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO role_masking (branch_id, role_name, rule_set, max_lag_seconds, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (branch_id, role_name) DO UPDATE
                SET rule_set = excluded.rule_set, max_lag_seconds = excluded.max_lag_seconds,
                    updated_at = excluded.updated_at""",
                masking.branchId(),
                masking.roleName(),
                masking.ruleSet(),
                masking.maxLagSeconds(),
                masking.createdAt(),
                masking.updatedAt());
    }

    /** Declares the same for another branch, which exists; what that has of its own for a role stays. */
    public static void inherit(Connection connection, Collection<RoleMasking> declared, String branchId)
            throws SQLException {
        for (RoleMasking masking : declared) {
            Sql.update(
                    connection,
                    """
                    INSERT INTO role_masking (branch_id, role_name, rule_set, max_lag_seconds, created_at, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (branch_id, role_name) DO NOTHING""",
                    branchId,
                    masking.roleName(),
                    masking.ruleSet(),
                    masking.maxLagSeconds(),
                    masking.createdAt(),
                    masking.updatedAt());
        }
    }

    public static void delete(Connection connection, String branchId, String roleName) throws SQLException {
        Sql.update(connection, "DELETE FROM role_masking WHERE branch_id = ? AND role_name = ?", branchId, roleName);
    }

    public static List<RoleMasking> ofProject(Connection connection, String projectId) throws SQLException {
        return Sql.list(connection, RoleMaskingRows::masking, """
                SELECT m.* FROM role_masking m JOIN branches b ON b.id = m.branch_id
                WHERE b.project_id = ?""", projectId);
    }

    private static RoleMasking masking(ResultSet row) throws SQLException {
        return new RoleMasking(
                row.getString("branch_id"),
                row.getString("role_name"),
                row.getString("rule_set"),
                row.getInt("max_lag_seconds"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }
}
