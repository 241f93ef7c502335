package dev.coppice.server;

import com.codahale.metrics.MetricRegistry;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.coppice.common.http.GuardedHttpServers;
import dev.coppice.common.http.HostNames;
import dev.coppice.common.http.HttpGuard;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;

/**
 * What monitoring asks for: {@code /metrics}, {@code /healthz} (the process answers) and {@code /readyz} (clients can
 * connect). It has no keys, so it belongs on an address that strangers cannot reach.
 */
final class OperationsServer implements AutoCloseable {
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int UNAVAILABLE = 503;
    private static final int BACKLOG = 50;

    private static final Set<String> PATHS = Set.of("/metrics", "/healthz", "/readyz");
    private static final Set<String> METHODS = Set.of("GET", "HEAD");

    private final HttpServer http;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * Starts to listen.
     *
     * @param hosts what it may be called
     * @param ready whether clients can connect; asked for each request
     * @param isolation how computes are kept from each other, in a line
     */
    OperationsServer(
            InetSocketAddress listen,
            HostNames hosts,
            MetricRegistry metrics,
            BooleanSupplier ready,
            String isolation) {
        try {
            http = new GuardedHttpServers(new HttpGuard(hosts, path -> PATHS.contains(path) ? METHODS : Set.of()))
                    .createHttpServer(listen, BACKLOG);
        } catch (IOException e) {
            threads.close();
            throw new UncheckedIOException("api.operations_listen: cannot listen on " + listen, e);
        }
        http.setExecutor(threads);
        http.createContext(
                "/",
                exchange -> answer(exchange, NOT_FOUND, "text/plain", "there are /metrics, /healthz and /readyz\n"));
        http.createContext(
                "/metrics",
                exchange -> answer(
                        exchange, OK, "text/plain; version=0.0.4", PrometheusText.of(metrics) + TaskMetrics.text()));
        http.createContext("/healthz", exchange -> answer(exchange, OK, "text/plain", "ok\n"));
        http.createContext("/readyz", exchange -> {
            boolean yes = ready.getAsBoolean();
            String text = (yes ? "ready\n" : "not ready\n") + "isolation: " + isolation + "\n";
            answer(exchange, yes ? OK : UNAVAILABLE, "text/plain", text);
        });
        http.start();
    }

    InetSocketAddress address() {
        return http.getAddress();
    }

    private static void answer(HttpExchange exchange, int status, String type, String body) throws IOException {
        try (exchange) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.sendResponseHeaders(status, -1);
                return;
            }
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        http.stop(0);
        threads.close();
    }
}
