package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.relay.Transport;
import dev.coppice.proxy.route.ComputeSocket;
import dev.coppice.proxy.route.WakeException;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/** Waking, holding, back-pressure and the ways a session ends. */
class SessionIT {
    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    @Test
    void clients_are_held_until_their_compute_is_awake() throws Exception {
        CompletableFuture<ComputeSocket> waking = new CompletableFuture<>();
        fixture.directory.wake = () -> waking;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(threads.submit(() -> {
                    try (Connection connection = fixture.connect("shop")) {
                        return ProxyFixture.one(connection, "select 'awake'");
                    }
                }));
            }
            await().untilAsserted(() -> assertThat(fixture.directory.wakes).hasValue(20));
            assertThat(clients).noneMatch(Future::isDone);
            waking.complete(fixture.postgres.socket());
            for (Future<String> client : clients) {
                assertThat(client.get()).isEqualTo("awake");
            }
        }
    }

    @Test
    void a_client_that_leaves_while_its_compute_wakes_is_forgotten() throws Exception {
        CompletableFuture<ComputeSocket> waking = new CompletableFuture<>();
        fixture.directory.wake = () -> waking;
        int before = fixture.open();
        try (RawClient client = new RawClient(fixture.port())) {
            assertThat(client.authenticate("alice", ProxyFixture.PASSWORD, "shop")
                            .type())
                    .isEqualTo('R');
            client.message('Q', "create table must_not_be (id int)\0".getBytes(UTF_8));
            await().untilAsserted(() -> assertThat(fixture.directory.wakes).hasValue(1));
        }
        await().untilAsserted(() -> assertThat(fixture.open()).isEqualTo(before));
        waking.complete(fixture.postgres.socket());
        fixture.awake();
        try (Connection connection = fixture.connect("shop")) {
            assertThat(ProxyFixture.one(connection, "select to_regclass('must_not_be')"))
                    .isNull();
        }
    }

    @Test
    void a_compute_that_cannot_be_woken_is_explained_by_whoever_knows() {
        fixture.directory.wake = () -> CompletableFuture.failedFuture(new WakeException(
                SqlState.TOO_MANY_CONNECTIONS, "too many computes are awake", "Suspend one: coppice suspend."));
        assertThatThrownBy(() -> fixture.connect("shop").close())
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("53300"))
                .hasMessageContaining("too many computes are awake")
                .hasMessageContaining("coppice suspend");
    }

    @Test
    void a_compute_that_takes_too_long_is_reported_as_not_yet_there() throws Exception {
        fixture.directory.wake = CompletableFuture::new;
        var impatient = fixture.change().wakeTimeout(Duration.ofMillis(200)).build();
        try (ProxyServer proxy = fixture.start(impatient, new MetricRegistry())) {
            assertThatThrownBy(() -> ProxyFixture.connect(
                                    proxy.address().getPort(), "shop", "alice", ProxyFixture.PASSWORD)
                            .close())
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57P03"));
        }
    }

    @Test
    void a_compute_suspended_between_wake_and_login_is_woken_again() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        fixture.directory.wake = () -> CompletableFuture.completedFuture(
                calls.incrementAndGet() < 3
                        ? new ComputeSocket(fixture.tlsDirectory.resolve("no-such-socket"), 0, 1)
                        : fixture.postgres.socket());
        try (Connection connection = fixture.connect("shop")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
        assertThat(calls).hasValue(3);
    }

    @Test
    void a_compute_that_is_never_there_is_given_up() {
        fixture.directory.wake = () -> CompletableFuture.completedFuture(
                new ComputeSocket(fixture.tlsDirectory.resolve("no-such-socket"), 0, 1));
        assertThatThrownBy(() -> fixture.connect("shop").close())
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08006"));
    }

    @Test
    void a_slow_reader_of_a_large_result_does_not_fill_the_proxys_memory() throws Exception {
        int rows = 300_000;
        long limitBytes = 24L << 20;
        try (Connection connection = fixture.connect("shop")) {
            CopyOut copy = connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyOut("copy (select repeat('x', 1000) from generate_series(1, " + rows + ")) to stdout");
            copy.readFromCopy();
            // 300 MB are on their way; without back-pressure they would all be in the proxy by now.
            for (int i = 0; i < 20; i++) {
                Thread.sleep(100);
                assertThat(nettyBytes()).isLessThan(limitBytes);
            }
            int read = 1;
            while (copy.readFromCopy() != null) {
                read++;
            }
            assertThat(read).isEqualTo(rows);
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    private static long nettyBytes() {
        var metric = ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric();
        return metric.usedDirectMemory() + metric.usedHeapMemory();
    }

    @Test
    void an_idle_client_is_told_when_its_backend_is_killed() throws Exception {
        try (Connection connection = fixture.connect("shop")) {
            long pid = Long.parseLong(ProxyFixture.one(connection, "select pg_backend_pid()"));
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            assertThatThrownBy(() -> {
                        // Until the close has gone through.
                        while (true) {
                            ProxyFixture.one(connection, "select 1");
                        }
                    })
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08006"))
                    .hasMessageContaining("Connect again");
        }
        await().ignoreExceptions().untilAsserted(() -> fixture.connect("shop").close());
    }

    @Test
    void stopping_the_proxy_tells_idle_sessions_and_leaves_nothing_open() throws Exception {
        MetricRegistry registry = new MetricRegistry();
        ProxyServer proxy = fixture.start(fixture.configuration(), registry);
        try (RawClient client = new RawClient(proxy.address().getPort())) {
            client.authenticate("alice", ProxyFixture.PASSWORD, "shop");
            client.readUntil('Z');
            proxy.close();
            assertThat(client.read().text()).contains("57P01");
            assertThat(client.read().end()).isTrue();
        }
        assertThat(ProxyFixture.open(registry)).isEqualTo(0);
        assertThat(registry.counter("proxy.connections.sessions").getCount()).isZero();
    }

    @Test
    void without_epoll_it_runs_on_nio() throws Exception {
        MetricRegistry registry = new MetricRegistry();
        try (ProxyServer proxy = ProxyServer.start(
                fixture.configuration(), fixture.directory, ProxyFixture.SECRET, registry, Transport.NIO)) {
            int port = proxy.address().getPort();
            try (Connection connection =
                    ProxyFixture.connect(port, "shop", "alice", ProxyFixture.PASSWORD, "sslmode", "require")) {
                assertThat(ProxyFixture.one(connection, "select length(repeat('x', 1000000))"))
                        .isEqualTo("1000000");
            }
            fixture.directory.wake = CompletableFuture::new;
            try (RawClient client = new RawClient(port)) {
                client.authenticate("alice", ProxyFixture.PASSWORD, "shop");
            }
            await().untilAsserted(() -> assertThat(ProxyFixture.open(registry)).isZero());
        }
    }
}
