package dev.coppice.server;

import com.codahale.metrics.MetricRegistry;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.coppice.common.HttpServerDelay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;

/**
 * What monitoring asks for: {@code /metrics}, {@code /healthz} (the process answers) and {@code /readyz} (clients can
 * connect). It has no keys, so it belongs on an address that strangers cannot reach.
 */
final class OperationsServer implements AutoCloseable {
    private static final int OK = 200;
    private static final int NOT_ALLOWED = 405;
    private static final int UNAVAILABLE = 503;
    private static final int BACKLOG = 50;

    private final HttpServer http;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * @param ready whether clients can connect; asked for each request
     * @param isolation how computes are kept from each other, in a line
     */
    OperationsServer(InetSocketAddress listen, MetricRegistry metrics, BooleanSupplier ready, String isolation) {
        HttpServerDelay.off();
        try {
            http = HttpServer.create(listen, BACKLOG);
        } catch (IOException e) {
            threads.close();
            throw new UncheckedIOException("api.operations_listen: cannot listen on " + listen, e);
        }
        http.setExecutor(threads);
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
            if (!exchange.getRequestMethod().equals("GET")) {
                exchange.sendResponseHeaders(NOT_ALLOWED, -1);
                return;
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
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
