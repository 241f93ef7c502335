package dev.coppice.control.catalog.rows;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/** Reads and writes of the console's sessions; each runs inside the caller's transaction. */
public final class SessionRows {
    private SessionRows() {}

    /** @param hash of the secret */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares rows
    public record Row(
            long id, byte[] hash, long keyId, Instant createdAt, Instant lastUsedAt, String address, String client) {}

    public static List<Row> all(Connection connection) throws SQLException {
        return Sql.list(connection, SessionRows::row, "SELECT * FROM console_sessions");
    }

    public static Row insert(Connection connection, byte[] hash, long keyId, Instant now, String address, String client)
            throws SQLException {
        return Sql.first(
                        connection,
                        SessionRows::row,
                        "INSERT INTO console_sessions (hash, key_id, created_at, last_used_at, address, client)"
                                + " VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
                        hash,
                        keyId,
                        now,
                        now,
                        address,
                        client)
                .orElseThrow();
    }

    /** Answers whether there was one. */
    public static boolean used(Connection connection, long id, Instant at) throws SQLException {
        return Sql.update(connection, "UPDATE console_sessions SET last_used_at = ? WHERE id = ?", at, id) > 0;
    }

    /** Answers whether there was one. */
    public static boolean delete(Connection connection, long id) throws SQLException {
        return Sql.update(connection, "DELETE FROM console_sessions WHERE id = ?", id) > 0;
    }

    private static Row row(ResultSet row) throws SQLException {
        return new Row(
                row.getLong("id"),
                row.getBytes("hash"),
                row.getLong("key_id"),
                Sql.instant(row, "created_at"),
                Sql.instant(row, "last_used_at"),
                row.getString("address"),
                row.getString("client"));
    }
}
