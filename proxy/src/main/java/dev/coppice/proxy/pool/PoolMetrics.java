package dev.coppice.proxy.pool;

import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import dev.coppice.proxy.pool.sql.PinReason;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Metrics of all pools: {@code proxy.pool.clients}, {@code .waiting}, {@code .servers}, {@code .servers-busy} and {@code
 * .listeners} (now), {@code proxy.pool.wait} (asked for a server connection to got it, of those that had to wait), {@code proxy.pool.pins.<reason>},
 * {@code proxy.pool.overflows} (53300), {@code proxy.pool.notifications} (delivered).
 */
public final class PoolMetrics {
    final AtomicInteger clients = new AtomicInteger();
    final AtomicInteger waiting = new AtomicInteger();
    final AtomicInteger servers = new AtomicInteger();
    final AtomicInteger busy = new AtomicInteger();
    final AtomicInteger listeners = new AtomicInteger();
    final Timer wait;
    final Meter overflows;
    final Meter notifications;
    private final Map<PinReason, Meter> pins = new EnumMap<>(PinReason.class);

    public PoolMetrics(MetricRegistry registry) {
        registry.gauge("proxy.pool.clients", () -> clients::get);
        registry.gauge("proxy.pool.waiting", () -> waiting::get);
        registry.gauge("proxy.pool.servers", () -> servers::get);
        registry.gauge("proxy.pool.servers-busy", () -> busy::get);
        registry.gauge("proxy.pool.listeners", () -> listeners::get);
        wait = registry.timer("proxy.pool.wait");
        overflows = registry.meter("proxy.pool.overflows");
        notifications = registry.meter("proxy.pool.notifications");
        Arrays.stream(PinReason.values())
                .forEach(reason -> pins.put(reason, registry.meter("proxy.pool.pins." + reason.label())));
    }

    void pinned(PinReason reason) {
        Meter meter = pins.get(reason);
        if (meter != null) {
            meter.mark();
        }
    }
}
