package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.http.HostNames;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class OperationsServerTest {
    private final MetricRegistry metrics = new MetricRegistry();
    private final AtomicBoolean ready = new AtomicBoolean();

    private HttpResponse<String> get(OperationsServer server, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + server.address().getPort() + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void metrics_have_prometheus_names_types_and_labels() {
        metrics.meter("proxy.bytes.from-clients").mark(7);
        metrics.counter("proxy.connections.sessions").inc(2);
        metrics.gauge("proxy.connections.open", () -> () -> 3);
        metrics.meter("proxy.outcomes.wrong-password").mark();
        metrics.meter("proxy.outcomes.session").mark(4);
        metrics.timer("proxy.wake").update(250, TimeUnit.MILLISECONDS);
        assertThat(PrometheusText.of(metrics).lines().toList())
                .contains(
                        "# TYPE coppice_proxy_bytes_from_clients_total counter",
                        "coppice_proxy_bytes_from_clients_total 7",
                        "coppice_proxy_connections_sessions 2",
                        "coppice_proxy_connections_open 3",
                        "coppice_proxy_outcomes_total{outcome=\"wrong-password\"} 1",
                        "coppice_proxy_outcomes_total{outcome=\"session\"} 4",
                        "coppice_proxy_wake_seconds{quantile=\"0.99\"} 0.25",
                        "coppice_proxy_wake_seconds_count 1")
                .containsOnlyOnce("# TYPE coppice_proxy_outcomes_total counter");
    }

    @Test
    void health_and_readiness_are_told_apart() throws Exception {
        metrics.meter("proxy.bytes.from-clients");
        try (OperationsServer server = new OperationsServer(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                HostNames.any(),
                metrics,
                ready::get,
                "full")) {
            // Read by the JDK with the first server of the process; else each answer may wait 40 ms for an
            // acknowledgement.
            assertThat(System.getProperty("sun.net.httpserver.nodelay")).isEqualTo("true");
            assertThat(get(server, "/healthz").statusCode()).isEqualTo(200);
            assertThat(get(server, "/readyz").statusCode()).isEqualTo(503);
            ready.set(true);
            assertThat(get(server, "/readyz").statusCode()).isEqualTo(200);
            assertThat(get(server, "/readyz").body()).isEqualTo("ready\nisolation: full\n");
            assertThat(get(server, "/metrics").body()).contains("coppice_proxy_bytes_from_clients_total 0");
        }
    }
}
