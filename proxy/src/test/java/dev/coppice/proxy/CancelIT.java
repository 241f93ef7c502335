package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.route.ComputeSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cancel requests: over a restart of the proxy, for clients that only wait, and with keys that are none. */
class CancelIT {
    private static final String POOLED = "endpoint=ep-main-1-pooler";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private static byte[] keyData(CancelKey key) {
        byte[] secret = key.secret();
        return ByteBuffer.allocate(4 + secret.length)
                .putInt(key.processId())
                .put(secret)
                .array();
    }

    private static void sendAndAwaitClose(int port, byte[] keyData) throws Exception {
        try (RawClient client = new RawClient(port)) {
            client.cancel(keyData);
            assertThat(client.read().end())
                    .as("a cancel request is not answered")
                    .isTrue();
        }
    }

    private static boolean sleeping(Connection watcher, int processId) throws SQLException {
        return ProxyFixture.one(
                        watcher,
                        "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and pid = " + processId)
                .equals("1");
    }

    @Test
    void a_long_key_is_good_at_the_next_proxy_and_a_damaged_one_is_not() throws Exception {
        ProxyServer first =
                fixture.start(fixture.change().drainTimeout(Duration.ZERO).build(), new MetricRegistry());
        byte[] key;
        try (first;
                RawClient client = new RawClient(first.address().getPort());
                Connection watcher = fixture.connect("shop")) {
            client.authenticate(RawClient.V3_2, "alice", ProxyFixture.PASSWORD, "shop");
            key = client.readUntil('K').bytes();
            client.readUntil('Z');
            client.message('Q', "select pg_sleep(600)\0".getBytes(UTF_8));
            int processId = ByteBuffer.wrap(key).getInt();
            await().untilAsserted(() -> assertThat(sleeping(watcher, processId)).isTrue());
            first.close();

            // The proxy is gone, and its client too; Postgres has not noticed.
            MetricRegistry metrics = new MetricRegistry();
            try (ProxyServer second = fixture.start(fixture.configuration(), metrics)) {
                int port = second.address().getPort();
                fixture.directory.wakes.set(0);
                for (int position : new int[] {3, 4, 20, key.length - 1}) {
                    byte[] damaged = key.clone();
                    damaged[position] ^= 1;
                    sendAndAwaitClose(port, damaged);
                }
                sendAndAwaitClose(port, Arrays.copyOf(key, key.length - 1));
                assertThat(metrics.meter("proxy.cancels.unknown").getCount()).isEqualTo(5);
                assertThat(sleeping(watcher, processId)).isTrue();

                sendAndAwaitClose(port, key);
                await().untilAsserted(
                                () -> assertThat(sleeping(watcher, processId)).isFalse());
                assertThat(metrics.meter("proxy.cancels.forwarded").getCount()).isEqualTo(1);
                assertThat(fixture.directory.wakes).hasValue(0);
            }
        }
    }

    @Test
    void a_key_of_a_compute_that_sleeps_by_now_wakes_nothing() throws Exception {
        CancelKeys keys = new CancelKeys(new SecureRandom(), ProxyFixture.SECRET);
        CancelKey ofNobody = keys.add(
                new ComputeSocket(Path.of("/no/such/compute/.s.PGSQL.5432"), 0, 1),
                new CancelKey(4711, new byte[] {1, 2, 3, 4}),
                ProtocolVersion.V3_2);
        sendAndAwaitClose(fixture.port(), keyData(ofNobody));
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    private static CompletableFuture<SQLException> failing(Statement statement, String sql) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                statement.execute(sql);
                throw new AssertionError("was not cancelled");
            } catch (SQLException e) {
                return e;
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"3.0", "3.2"})
    void a_pooled_client_in_line_for_a_server_connection_is_told_and_keeps_its_session(String version)
            throws Exception {
        ProxyConfiguration one = fixture.change()
                .pool(new PoolSettings(1, 10, Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofHours(1), 10))
                .build();
        MetricRegistry metrics = new MetricRegistry();
        try (ProxyServer proxy = fixture.start(one, metrics);
                Connection holder = connect(proxy, "protocolVersion", version);
                Connection queued = connect(proxy, "protocolVersion", version);
                Statement statement = queued.createStatement()) {
            // Now, not in line: what the driver sets at first.
            assertThat(ProxyFixture.one(queued, "select 1")).isEqualTo("1");
            holder.setAutoCommit(false);
            ProxyFixture.one(holder, "select 1");
            CompletableFuture<SQLException> ended = failing(statement, "select 2");
            await().untilAsserted(() -> assertThat(ProxyFixture.gauge(metrics, "proxy.pool.waiting"))
                    .isEqualTo(1));
            statement.cancel();
            assertThat(ended.get().getSQLState()).isEqualTo("57014");
            holder.commit();
            assertThat(ProxyFixture.one(queued, "select 3")).isEqualTo("3");
        }
    }

    @Test
    void a_pooled_client_whose_compute_wakes_is_told_and_the_cancel_wakes_nothing() throws Exception {
        try (Connection connection = connect(fixture.proxy, "ApplicationName", "waking");
                Statement statement = connection.createStatement()) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
            CompletableFuture<ComputeSocket> waking = new CompletableFuture<>();
            fixture.directory.wake = () -> waking;
            fixture.directory.wakes.set(0);
            // After a second without use the compute may sleep: it is asked for again.
            Thread.sleep(1200);
            CompletableFuture<SQLException> ended = failing(statement, "select 2");
            await().untilAsserted(() -> assertThat(fixture.directory.wakes).hasValue(1));
            statement.cancel();
            assertThat(ended.get().getSQLState()).isEqualTo("57014");
            assertThat(fixture.directory.wakes).hasValue(1);
            waking.complete(fixture.postgres.socket());
            assertThat(ProxyFixture.one(connection, "select 3")).isEqualTo("3");
        }
    }

    private static Connection connect(ProxyServer proxy, String... more) throws SQLException {
        String[] properties = Arrays.copyOf(more, more.length + 2);
        properties[more.length] = "options";
        properties[more.length + 1] = POOLED;
        return ProxyFixture.connect(proxy.address().getPort(), "shop", "alice", ProxyFixture.PASSWORD, properties);
    }
}
