package dev.coppice.proxy.session;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * The proxy's metrics: {@code proxy.connections.open}, {@code .unauthenticated} and {@code .sessions} (now), {@code
 * proxy.connections.dropped} (far over the limit, unheard), {@code proxy.outcomes.<outcome>}
 * (per ended connection), {@code proxy.login} (connection accepted to session begun), {@code proxy.wake} (password
 * proved to compute logged in to), {@code proxy.cancels.forwarded} and {@code .unknown}, {@code proxy.bytes.*}.
 */
public final class ProxyMetrics {
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger unknown = new AtomicInteger();
    private final Counter sessions;
    private final Map<Outcome, Meter> outcomes;
    final Meter dropped;
    final Timer login;
    final Timer wake;
    final Meter cancelsForwarded;
    final Meter cancelsUnknown;
    final Meter bytesFromClients;
    final Meter bytesFromComputes;

    public ProxyMetrics(MetricRegistry registry) {
        registry.gauge("proxy.connections.open", () -> open::get);
        registry.gauge("proxy.connections.unauthenticated", () -> unknown::get);
        sessions = registry.counter("proxy.connections.sessions");
        outcomes = Arrays.stream(Outcome.values())
                .collect(java.util.stream.Collectors.toMap(
                        Function.identity(),
                        outcome -> registry.meter("proxy.outcomes." + outcome.label()),
                        (a, b) -> a,
                        () -> new EnumMap<>(Outcome.class)));
        dropped = registry.meter("proxy.connections.dropped");
        login = registry.timer("proxy.login");
        wake = registry.timer("proxy.wake");
        cancelsForwarded = registry.meter("proxy.cancels.forwarded");
        cancelsUnknown = registry.meter("proxy.cancels.unknown");
        bytesFromClients = registry.meter("proxy.bytes.from-clients");
        bytesFromComputes = registry.meter("proxy.bytes.from-computes");
    }

    /** @return how many are open now, this one included */
    int opened() {
        unknown.incrementAndGet();
        return open.incrementAndGet();
    }

    void sessionBegan() {
        sessions.inc();
    }

    /** How many are open that have not proved a password. */
    int unknown() {
        return unknown.get();
    }

    /** One more has proved its password. */
    void known() {
        unknown.decrementAndGet();
    }

    /** @param known whether it had proved its password */
    void closed(Outcome outcome, boolean known) {
        open.decrementAndGet();
        if (!known) {
            unknown.decrementAndGet();
        }
        if (outcome == Outcome.SESSION) {
            sessions.dec();
        }
        Meter meter = outcomes.get(outcome);
        if (meter != null) {
            meter.mark();
        }
    }
}
