package dev.coppice.control.catalog.rows;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/** Reads and writes of what timelines were seen to be; each runs inside the caller's transaction. */
public final class TimelineMaskingRows {
    private TimelineMaskingRows() {}

    /** Whether a timeline sees its parent's rows through a boundary only, by timeline id. */
    public static Map<String, Boolean> all(Connection connection) throws SQLException {
        Map<String, Boolean> known = new HashMap<>();
        Sql.list(
                        connection,
                        row -> Map.entry(row.getString("timeline_id"), row.getBoolean("masked")),
                        "SELECT timeline_id, masked FROM timeline_masking")
                .forEach(row -> known.put(row.getKey(), row.getValue()));
        return known;
    }

    /** Notes it, unless something is noted already. */
    public static void note(Connection connection, String timelineId, boolean masked) throws SQLException {
        Sql.update(
                connection,
                "INSERT INTO timeline_masking (timeline_id, masked) VALUES (?, ?) ON CONFLICT (timeline_id) DO NOTHING",
                timelineId,
                masked);
    }

    /** Forgets a timeline that is gone. */
    public static void forget(Connection connection, String timelineId) throws SQLException {
        Sql.update(connection, "DELETE FROM timeline_masking WHERE timeline_id = ?", timelineId);
    }
}
