package dev.coppice.proxy.pool;

import dev.coppice.common.LogText;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How many server connections a pool has, and may have: what is configured, and no more than the compute allows. */
final class ServerLimit {
    private static final Logger log = LoggerFactory.getLogger(ServerLimit.class);
    /** Until the compute has said what it allows. */
    private static final int FIRST_LIMIT = 4;

    private final String endpointId;
    private final Supplier<PoolSettings> settings;
    private final PoolMetrics metrics;
    private int servers;
    private int computeLimit = FIRST_LIMIT;
    private boolean known;

    ServerLimit(String endpointId, Supplier<PoolSettings> settings, PoolMetrics metrics) {
        this.endpointId = endpointId;
        this.settings = settings;
        this.metrics = metrics;
    }

    /** Connections that are open or being opened. */
    int count() {
        return servers;
    }

    void opening() {
        servers++;
        metrics.servers.incrementAndGet();
    }

    void gone() {
        servers--;
        metrics.servers.decrementAndGet();
    }

    private int limit() {
        return Math.min(computeLimit, settings.get().maxServers());
    }

    boolean reached() {
        return servers >= limit();
    }

    /** After a reload there may be too many. */
    boolean exceeded() {
        return servers > limit();
    }

    /** Whether the compute was asked what it allows; the first call says no. */
    boolean asked() {
        boolean was = known;
        known = true;
        return was;
    }

    /** @param maxConnections as the compute says it */
    void learn(String maxConnections) {
        try {
            computeLimit = Math.max(1, Integer.parseInt(maxConnections) * 9 / 10);
        } catch (NumberFormatException e) {
            computeLimit = settings.get().maxServers();
            log.warn(
                    "the compute of endpoint {} says max_connections is {}",
                    LogText.field(endpointId),
                    LogText.quoted(maxConnections));
        }
    }
}
