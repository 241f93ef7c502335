package dev.coppice.proxy.http;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.pool.Pools;

/** What all HTTP connections of one proxy share. */
public record HttpServices(HttpSettings settings, Pools pools, HttpMetrics metrics, MemoryBudget memory) {
    /** @param registry gets the metrics of {@link HttpMetrics} */
    public static HttpServices create(HttpSettings settings, Pools pools, MetricRegistry registry) {
        MemoryBudget memory = new MemoryBudget(settings.maxHeldBytes());
        return new HttpServices(settings, pools, new HttpMetrics(registry, memory), memory);
    }
}
