package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.Consumption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/** Reads and writes of what was used; each runs inside the caller's transaction. */
public final class ConsumptionRows {
    private ConsumptionRows() {}

    /**
     * Says in the catalog which batch of a meter's figures this transaction adds, so that {@link #lastBatch} can tell whether
     * it was committed. Before anything is added: the row is what another transaction waits for.
     *
     * @param number one more than the last
     */
    public static void beginBatch(Connection connection, String meter, long number, Instant now) throws SQLException {
        Sql.update(connection, """
                INSERT INTO consumption_batches (meter, number, written_at) VALUES (?, ?, ?)
                ON CONFLICT (meter) DO UPDATE SET number = excluded.number, written_at = excluded.written_at""", meter, number, now);
    }

    /** The last batch of a meter that was committed, 0 for none; waits for a transaction that is still committing one. */
    public static long lastBatch(Connection connection, String meter, Instant now) throws SQLException {
        Sql.update(
                connection,
                "INSERT INTO consumption_batches (meter, number, written_at) VALUES (?, 0, ?) ON CONFLICT DO NOTHING",
                meter,
                now);
        return Sql.list(
                        connection,
                        row -> row.getLong("number"),
                        "SELECT number FROM consumption_batches WHERE meter = ? FOR UPDATE",
                        meter)
                .getFirst();
    }

    /** Adds to an hour. */
    public static void add(
            Connection connection, String projectId, String branchId, Instant hour, Consumption.Used used)
            throws SQLException {
        Sql.update(
                connection,
                """
                INSERT INTO consumption AS c (project_id, branch_id, hour, active_millis, compute_millis, written_bytes)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (project_id, branch_id, hour) DO UPDATE SET
                    active_millis = c.active_millis + excluded.active_millis,
                    compute_millis = c.compute_millis + excluded.compute_millis,
                    written_bytes = c.written_bytes + excluded.written_bytes""",
                projectId,
                branchId,
                hour,
                used.activeMillis(),
                used.computeMillis(),
                used.writtenBytes());
    }

    /** Notes what a project takes in an hour; the last note counts. */
    public static void putStorage(Connection connection, String projectId, Instant hour, long bytes)
            throws SQLException {
        Sql.update(connection, """
                INSERT INTO consumption (project_id, branch_id, hour, storage_bytes) VALUES (?, ?, ?, ?)
                ON CONFLICT (project_id, branch_id, hour) DO UPDATE SET storage_bytes = excluded.storage_bytes""", projectId, Consumption.WHOLE_PROJECT, hour, bytes);
    }

    /** The hours from {@code from} until before {@code to}, oldest first. */
    public static List<Consumption.Hour> between(Connection connection, Instant from, Instant to) throws SQLException {
        return Sql.list(
                connection,
                ConsumptionRows::hour,
                "SELECT * FROM consumption WHERE hour >= ? AND hour < ? ORDER BY hour, project_id, branch_id",
                from,
                to);
    }

    public static void deleteBefore(Connection connection, Instant hour) throws SQLException {
        Sql.update(connection, "DELETE FROM consumption WHERE hour < ?", hour);
        Sql.update(connection, "DELETE FROM consumption_batches WHERE written_at < ?", hour);
    }

    private static Consumption.Hour hour(ResultSet row) throws SQLException {
        return new Consumption.Hour(
                row.getString("project_id"),
                row.getString("branch_id"),
                Sql.instant(row, "hour"),
                new Consumption.Used(
                        row.getLong("active_millis"), row.getLong("compute_millis"), row.getLong("written_bytes")),
                row.getLong("storage_bytes"));
    }
}
