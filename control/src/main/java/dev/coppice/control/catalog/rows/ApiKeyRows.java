package dev.coppice.control.catalog.rows;

import dev.coppice.control.catalog.model.ApiKey;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads and writes of API keys; each runs inside the caller's transaction. */
public final class ApiKeyRows {
    private ApiKeyRows() {}

    public static ApiKey insert(
            Connection connection,
            String name,
            @Nullable String projectId,
            ApiKey.Scope scope,
            byte[] hash,
            Instant now)
            throws SQLException {
        return Sql.first(
                        connection,
                        ApiKeyRows::key,
                        "INSERT INTO api_keys (name, project_id, scope, hash, created_at) VALUES (?, ?, ?, ?, ?) RETURNING *",
                        name,
                        projectId,
                        scope.text(),
                        hash,
                        now)
                .orElseThrow();
    }

    /** All keys, oldest first. */
    public static List<ApiKey> list(Connection connection) throws SQLException {
        return Sql.list(connection, ApiKeyRows::key, "SELECT * FROM api_keys ORDER BY id");
    }

    public static Optional<ApiKey> delete(Connection connection, long id) throws SQLException {
        return Sql.first(connection, ApiKeyRows::key, "DELETE FROM api_keys WHERE id = ? RETURNING *", id);
    }

    /** Notes a use of the key. */
    public static void used(Connection connection, long id, Instant at, String from) throws SQLException {
        Sql.update(connection, "UPDATE api_keys SET last_used_at = ?, last_used_from = ? WHERE id = ?", at, from, id);
    }

    /** Every key by its hash. */
    public static Map<ByteBuffer, ApiKey> byHash(Connection connection) throws SQLException {
        Map<ByteBuffer, ApiKey> result = new HashMap<>();
        Sql.list(
                connection,
                row -> {
                    result.put(ByteBuffer.wrap(row.getBytes("hash")), key(row));
                    return true;
                },
                "SELECT * FROM api_keys");
        return result;
    }

    private static ApiKey key(ResultSet row) throws SQLException {
        return new ApiKey(
                row.getLong("id"),
                row.getString("name"),
                row.getString("project_id"),
                ApiKey.Scope.of(row.getString("scope")),
                Sql.instant(row, "created_at"),
                Sql.nullableInstant(row, "last_used_at"),
                row.getString("last_used_from"));
    }
}
