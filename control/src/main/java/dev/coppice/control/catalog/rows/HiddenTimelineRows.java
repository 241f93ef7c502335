package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.HiddenTimeline;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Reads and writes of timelines that belong to no branch; each runs inside the caller's transaction. */
public final class HiddenTimelineRows {
    private HiddenTimelineRows() {}

    /** Notes the timeline; nothing happens when it is noted already. */
    public static void insert(Connection connection, HiddenTimeline timeline) throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO hidden_timelines (timeline_id, project_id, kind, endpoint_id, created_at)
                VALUES (?, ?, ?, ?, ?) ON CONFLICT (timeline_id) DO NOTHING""",
                timeline.timelineId(),
                timeline.projectId(),
                timeline.kind().text(),
                timeline.endpointId(),
                timeline.createdAt());
    }

    /** From now on the timeline stays only while another one reads from it. */
    public static void retire(Connection connection, String timelineId) throws SQLException {
        Sql.update(
                connection,
                "UPDATE hidden_timelines SET kind = ? WHERE timeline_id = ?",
                HiddenTimeline.Kind.RETIRED.text(),
                timelineId);
    }

    public static void delete(Connection connection, String timelineId) throws SQLException {
        Sql.update(connection, "DELETE FROM hidden_timelines WHERE timeline_id = ?", timelineId);
    }

    /** All of them, newest first: so a timeline mostly comes before the one that it reads from. */
    public static List<HiddenTimeline> all(Connection connection) throws SQLException {
        return Sql.list(
                connection,
                row -> new HiddenTimeline(
                        row.getString("timeline_id"),
                        row.getString("project_id"),
                        HiddenTimeline.Kind.of(row.getString("kind")),
                        row.getString("endpoint_id"),
                        Sql.instant(row, "created_at")),
                "SELECT * FROM hidden_timelines ORDER BY created_at DESC");
    }
}
