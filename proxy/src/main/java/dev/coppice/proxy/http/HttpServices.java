package dev.coppice.proxy.http;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.pool.Pools;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What all HTTP connections of one proxy share. Used on any thread.
 *
 * @param currentSettings replaced as a whole when the configuration is read again
 */
public record HttpServices(
        AtomicReference<HttpSettings> currentSettings, Pools pools, HttpMetrics metrics, MemoryBudget memory) {
    /** @param registry gets the metrics of {@link HttpMetrics} */
    public static HttpServices create(HttpSettings settings, Pools pools, MetricRegistry registry) {
        MemoryBudget memory = new MemoryBudget(settings.maxHeldBytes());
        return new HttpServices(new AtomicReference<>(settings), pools, new HttpMetrics(registry, memory), memory);
    }

    public HttpSettings settings() {
        return currentSettings.get();
    }

    /**
     * These limits count from now on. A body that is under way keeps the limit that it began with, and what is held already is
     * kept; open connections stay when HTTP is switched off.
     */
    public void settings(HttpSettings now) {
        currentSettings.set(now);
        memory.limit(now.maxHeldBytes());
    }
}
