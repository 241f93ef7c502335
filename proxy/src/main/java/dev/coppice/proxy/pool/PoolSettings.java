package dev.coppice.proxy.pool;

import java.time.Duration;

/**
 * Limits of pooled endpoints.
 *
 * @param maxServers server connections to one compute; never more than nine tenths of its max_connections
 * @param maxWaiting clients of one endpoint that wait for a server connection; one more gets 53300
 * @param waitTimeout for a server connection
 * @param serverIdleTimeout after which an unused server connection is closed
 * @param serverLifetime after which a server connection is replaced, once its client is done with it
 * @param maxPreparedStatements kept on one server connection; the least recently used goes first
 */
public record PoolSettings(
        int maxServers,
        int maxWaiting,
        Duration waitTimeout,
        Duration serverIdleTimeout,
        Duration serverLifetime,
        int maxPreparedStatements) {
    /** As shipped. */
    public static final PoolSettings DEFAULTS =
            new PoolSettings(64, 10_000, Duration.ofSeconds(120), Duration.ofSeconds(60), Duration.ofHours(1), 500);

    /** Checks ranges. */
    public PoolSettings {
        if (maxServers < 1 || maxWaiting < 0 || maxPreparedStatements < 1) {
            throw new IllegalArgumentException("the limits of proxy.pool must be positive");
        }
        if (!waitTimeout.isPositive() || !serverIdleTimeout.isPositive() || !serverLifetime.isPositive()) {
            throw new IllegalArgumentException("the timeouts of proxy.pool must be longer than 0 s");
        }
    }
}
