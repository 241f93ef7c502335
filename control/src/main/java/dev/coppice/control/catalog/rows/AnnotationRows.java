package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.BranchNotes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads and writes of what clients note about branches; each runs inside the caller's transaction. */
public final class AnnotationRows {
    private AnnotationRows() {}

    /** Replaces what is noted about a branch. */
    public static void put(Connection connection, BranchNotes annotation) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO branch_annotations (branch_id, value, created_at, updated_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (branch_id) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at""",
                annotation.branchId(),
                SettingsText.write(annotation.value()),
                annotation.createdAt(),
                annotation.updatedAt());
    }

    /** The notes about a project's branches. */
    public static List<BranchNotes> ofProject(Connection connection, String projectId) throws SQLException {
        return Sql.list(connection, AnnotationRows::annotation, """
                SELECT a.* FROM branch_annotations a JOIN branches b ON b.id = a.branch_id
                WHERE b.project_id = ?""", projectId);
    }

    private static BranchNotes annotation(ResultSet row) throws SQLException {
        Map<String, String> value = new HashMap<>();
        Map<?, ?> stored = SettingsText.read(row.getString("value"), Map.class);
        stored.forEach((key, text) -> value.put(String.valueOf(key), String.valueOf(text)));
        return new BranchNotes(
                row.getString("branch_id"),
                Map.copyOf(value),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "updated_at"));
    }
}
