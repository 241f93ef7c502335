package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.NamedRules;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** Reads and writes of a project's named masking rules; each runs inside the caller's transaction. */
public final class NamedRulesRows {
    private NamedRulesRows() {}

    /** All of a project, by name. */
    public static List<NamedRules> all(Connection connection, String projectId) throws SQLException {
        return Sql.list(
                connection,
                NamedRulesRows::rules,
                "SELECT * FROM masking_rule_sets WHERE project_id = ? ORDER BY name",
                projectId);
    }

    public static Optional<NamedRules> find(Connection connection, String projectId, String name) throws SQLException {
        return Sql.first(
                connection,
                NamedRulesRows::rules,
                "SELECT * FROM masking_rule_sets WHERE project_id = ? AND name = ?",
                projectId,
                name);
    }

    /** Inserts them, or replaces what has their name. */
    public static void put(Connection connection, NamedRules rules) throws SQLException {
        Sql.update(
                connection, """
                INSERT INTO masking_rule_sets (project_id, name, rules, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (project_id, name) DO UPDATE SET rules = excluded.rules, updated_at = excluded.updated_at""", rules.projectId(), rules.name(), rules.rules(), rules.createdAt(), rules.updatedAt());
    }

    /** Whether there were such rules. */
    public static boolean delete(Connection connection, String projectId, String name) throws SQLException {
        return Sql.update(
                        connection, "DELETE FROM masking_rule_sets WHERE project_id = ? AND name = ?", projectId, name)
                > 0;
    }

    private static NamedRules rules(ResultSet row) throws SQLException {
        return new NamedRules(
                row.getString("project_id"),
                row.getString("name"),
                row.getString("rules"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }
}
