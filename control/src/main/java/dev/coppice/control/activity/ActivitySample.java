package dev.coppice.control.activity;

import dev.coppice.common.Lsn;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * One look at a compute's activity.
 *
 * @param busy something is going on: a query, an open transaction, replication, autovacuum
 * @param quietMillis how long ago an open session's state last changed, as the compute's clock says; a large number without
 *     sessions
 * @param sessions how many sessions there ever were; a rise means that somebody came, and perhaps left, between two looks
 * @param lsn where the write-ahead log ends
 */
record ActivitySample(boolean busy, long quietMillis, long sessions, Lsn lsn) {
    /**
     * Open idle sessions count for nothing. A session without a state is being started. Coppice's own sessions are left out.
     */
    private static final String QUERY = """
            SELECT coalesce(bool_or(CASE backend_type
                       WHEN 'client backend' THEN state IS DISTINCT FROM 'idle'
                       ELSE true END), false),
                   coalesce(min(extract(epoch FROM clock_timestamp() - state_change))
                       FILTER (WHERE backend_type = 'client backend') * 1000, 1e15)::bigint,
                   (SELECT coalesce(sum(sessions), 0) FROM pg_stat_database)::bigint,
                   CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn(), '0/0')
                        ELSE pg_current_wal_insert_lsn() END::text
            FROM pg_stat_activity
            WHERE usename IS DISTINCT FROM 'coppice_admin'
              AND (backend_type IN ('client backend', 'walsender', 'autovacuum worker')
                   OR backend_type LIKE 'logical replication%worker')""";

    static ActivitySample take(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(QUERY)) {
            row.next();
            return new ActivitySample(row.getBoolean(1), row.getLong(2), row.getLong(3), Lsn.parse(row.getString(4)));
        }
    }
}
