package dev.coppice.proxy.http;

import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import java.util.concurrent.TimeUnit;

/**
 * Metrics of SQL over HTTP: {@code proxy.http.requests} (headers read to response written), {@code
 * proxy.http.responses.ok}, {@code .failed} (400: the login or a statement), {@code .too-large} (413, 507) and {@code
 * .other}, {@code proxy.http.cancelled} (the client went first), {@code proxy.http.websockets} (begun), {@code
 * proxy.http.bytes-held} (by requests and responses, now).
 */
public final class HttpMetrics {
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int TOO_LARGE = 413;
    private static final int INSUFFICIENT_STORAGE = 507;

    final Meter cancelled;
    final Meter webSockets;
    private final Timer requests;
    private final Meter ok;
    private final Meter failed;
    private final Meter tooLarge;
    private final Meter other;

    HttpMetrics(MetricRegistry registry, MemoryBudget memory) {
        registry.gauge("proxy.http.bytes-held", () -> memory::heldBytes);
        requests = registry.timer("proxy.http.requests");
        cancelled = registry.meter("proxy.http.cancelled");
        webSockets = registry.meter("proxy.http.websockets");
        ok = registry.meter("proxy.http.responses.ok");
        failed = registry.meter("proxy.http.responses.failed");
        tooLarge = registry.meter("proxy.http.responses.too-large");
        other = registry.meter("proxy.http.responses.other");
    }

    /** @param nanos since the headers were read */
    void responded(int status, long nanos) {
        requests.update(nanos, TimeUnit.NANOSECONDS);
        Meter meter = switch (status) {
            case OK -> ok;
            case BAD_REQUEST -> failed;
            case TOO_LARGE, INSUFFICIENT_STORAGE -> tooLarge;
            default -> other;
        };
        meter.mark();
    }
}
