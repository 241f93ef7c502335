package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.pool.PoolSettings;
import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** Clients of a pooled endpoint, with a real Postgres behind it. */
class PooledIT {
    private static final String POOLED = "endpoint=ep-main-1-pooler";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private static Connection connect(String... properties) throws SQLException {
        return to("shop", properties);
    }

    private static Connection to(String database, String... properties) throws SQLException {
        List<String> all = new ArrayList<>(List.of(properties));
        all.addAll(List.of("options", POOLED));
        return fixture.connect(database, all.toArray(String[]::new));
    }

    private static String backend(Connection connection) throws SQLException {
        return ProxyFixture.one(connection, "select pg_backend_pid()");
    }

    private static long pins(String reason) {
        return fixture.metrics.meter("proxy.pool.pins." + reason).getCount();
    }

    private static int gauge(String name) {
        return fixture.poolGauge(name);
    }

    @Test
    void clients_share_a_server_connection_between_transactions() throws Exception {
        try (Connection one = connect("ApplicationName", "sharing");
                Connection two = connect("ApplicationName", "sharing")) {
            assertThat(backend(one)).isEqualTo(backend(two));
            one.setAutoCommit(false);
            String held = backend(one);
            assertThat(backend(two)).isNotEqualTo(held);
            assertThat(backend(one)).isEqualTo(held);
            one.commit();
        }
    }

    @Test
    void prepared_statements_follow_their_client_from_server_to_server() throws Exception {
        try (Connection one = connect("prepareThreshold", "1", "ApplicationName", "prepared");
                Connection two = connect("prepareThreshold", "1", "ApplicationName", "prepared");
                PreparedStatement mine = one.prepareStatement("select ?::int + 1, pg_backend_pid()");
                PreparedStatement theirs = two.prepareStatement("select ?::int * 10, pg_backend_pid()")) {
            Set<String> backends = new HashSet<>();
            two.setAutoCommit(false);
            for (int i = 0; i < 20; i++) {
                // Every other time the other one keeps the server connection that was used last.
                if (i % 2 == 0) {
                    backend(two);
                }
                mine.setInt(1, i);
                try (ResultSet row = mine.executeQuery()) {
                    row.next();
                    assertThat(row.getInt(1)).isEqualTo(i + 1);
                    backends.add(row.getString(2));
                }
                theirs.setInt(1, i);
                try (ResultSet row = theirs.executeQuery()) {
                    row.next();
                    assertThat(row.getInt(1)).isEqualTo(i * 10);
                }
                two.commit();
            }
            assertThat(backends).hasSizeGreaterThan(1);
        }
    }

    @Test
    void errors_do_not_upset_the_order_of_prepared_statements() throws Exception {
        try (Connection connection = connect("prepareThreshold", "1");
                PreparedStatement division = connection.prepareStatement("select 1 / ?::int")) {
            for (int i = 0; i < 6; i++) {
                division.setInt(1, i % 2);
                if (i % 2 == 0) {
                    assertThatThrownBy(division::executeQuery).isInstanceOf(SQLException.class);
                } else {
                    division.executeQuery().close();
                }
                assertThatThrownBy(() -> connection
                                .prepareStatement("select nonsense from nowhere")
                                .executeQuery())
                        .isInstanceOf(SQLException.class);
            }
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void batches_are_answered_in_order() throws Exception {
        try (Connection connection = connect("prepareThreshold", "2");
                Statement statement = connection.createStatement()) {
            statement.execute("create table batched (id int, what text)");
            try (PreparedStatement insert = connection.prepareStatement("insert into batched values (?, ?)")) {
                for (int round = 0; round < 5; round++) {
                    for (int i = 0; i < 200; i++) {
                        insert.setInt(1, i);
                        insert.setString(2, "x".repeat(i));
                        insert.addBatch();
                    }
                    assertThat(insert.executeBatch()).hasSize(200).containsOnly(1);
                }
            }
            assertThat(ProxyFixture.one(connection, "select count(*) from batched"))
                    .isEqualTo("1000");
            statement.execute("drop table batched");
        }
    }

    @Test
    void copies_both_ways() throws Exception {
        try (Connection connection = connect()) {
            connection.createStatement().execute("create table copied (id int, what text)");
            StringBuilder rows = new StringBuilder();
            for (int i = 0; i < 50_000; i++) {
                rows.append(i).append("\tthe row number ").append(i).append('\n');
            }
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            assertThat(copy.copyIn("copy copied from stdin", new StringReader(rows.toString())))
                    .isEqualTo(50_000);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            copy.copyOut("copy (select * from copied order by id) to stdout", out);
            assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(rows.toString());
            assertThatThrownBy(() -> copy.copyIn("copy copied from stdin", new StringReader("nonsense\n".repeat(9999))))
                    .isInstanceOf(SQLException.class);
            connection.createStatement().execute("drop table copied");
        }
    }

    @Test
    void large_values_and_results_pass() throws Exception {
        try (Connection connection = connect("prepareThreshold", "1");
                PreparedStatement length = connection.prepareStatement("select length(?), repeat('y', 3000000)")) {
            for (int i = 0; i < 3; i++) {
                length.setString(1, "x".repeat(3_000_000));
                try (ResultSet row = length.executeQuery()) {
                    row.next();
                    assertThat(row.getInt(1)).isEqualTo(3_000_000);
                    assertThat(row.getString(2)).hasSize(3_000_000);
                }
            }
        }
    }

    @Test
    void what_a_session_sets_is_its_own() throws Exception {
        long before = pins("set");
        try (Connection one = connect("ApplicationName", "setting");
                Connection two = connect("ApplicationName", "setting")) {
            one.createStatement().execute("set search_path = pg_catalog");
            assertThat(ProxyFixture.one(two, "show search_path")).doesNotContain("pg_catalog");
            assertThat(ProxyFixture.one(one, "show search_path")).isEqualTo("pg_catalog");
            one.setAutoCommit(false);
            String held = backend(one);
            assertThat(ProxyFixture.one(two, "show search_path")).doesNotContain("pg_catalog");
            one.commit();
            one.setAutoCommit(true);
            assertThat(ProxyFixture.one(one, "show search_path")).isEqualTo("pg_catalog");
            one.createStatement().execute("reset search_path");
            assertThat(ProxyFixture.one(one, "show search_path")).doesNotContain("pg_catalog");
            assertThat(held).isNotBlank();
            assertThat(pins("set")).isEqualTo(before);
            one.createStatement().execute("set role pg_monitor");
            assertThat(pins("set")).isEqualTo(before + 1);
            assertThat(ProxyFixture.one(two, "select current_user")).isEqualTo("alice");
            assertThat(ProxyFixture.one(one, "select current_user")).isEqualTo("pg_monitor");
        }
        try (Connection three = connect("ApplicationName", "setting")) {
            assertThat(ProxyFixture.one(three, "show search_path")).doesNotContain("pg_catalog");
        }
    }

    @Test
    void discard_all_gives_the_server_connection_back() throws Exception {
        try (Connection one = connect("ApplicationName", "discarding");
                Connection two = connect("ApplicationName", "discarding")) {
            one.createStatement().execute("create temp table mine (id int)");
            assertThat(backend(one)).isNotEqualTo(backend(two));
            Awaitility.await()
                    .untilAsserted(() -> assertThat(gauge("servers-busy")).isEqualTo(1));
            try (Statement statement = one.createStatement()) {
                statement.execute("discard all");
            }
            Awaitility.await()
                    .untilAsserted(() -> assertThat(gauge("servers-busy")).isZero());
            assertThat(ProxyFixture.one(one, "select to_regclass('mine') is null"))
                    .isEqualTo("t");
        }
    }

    @Test
    void a_parameter_changed_inside_a_function_is_noticed() throws Exception {
        try (Connection one = connect("ApplicationName", "hidden");
                Connection two = connect("ApplicationName", "hidden")) {
            one.createStatement()
                    .execute("create or replace function hide() returns void language plpgsql as"
                            + " 'begin perform set_config(''IntervalStyle'', ''iso_8601'', false); end'");
            one.createStatement().execute("select hide()");
            assertThat(ProxyFixture.one(two, "show intervalstyle")).isEqualTo("postgres");
            assertThat(ProxyFixture.one(one, "show intervalstyle")).isEqualTo("iso_8601");
        }
    }

    @Test
    void advisory_locks_are_kept_by_their_client_and_released_with_it() throws Exception {
        try (Connection one = connect();
                Connection two = connect()) {
            assertThat(ProxyFixture.one(one, "select pg_try_advisory_lock(42)")).isEqualTo("t");
            assertThat(ProxyFixture.one(two, "select pg_try_advisory_lock(42)")).isEqualTo("f");
            assertThat(ProxyFixture.one(one, "select pg_try_advisory_xact_lock(42)"))
                    .isEqualTo("t");
        }
        try (Connection three = connect()) {
            Awaitility.await()
                    .untilAsserted(() -> assertThat(ProxyFixture.one(three, "select pg_try_advisory_lock(42)"))
                            .isEqualTo("t"));
        }
    }

    @Test
    void notifications_reach_every_listener_through_one_connection() throws Exception {
        try (Connection one = connect();
                Connection two = connect();
                Connection sender = connect()) {
            one.createStatement().execute("listen news");
            two.createStatement().execute("listen news");
            two.createStatement().execute("listen \"Other News\"");
            sender.createStatement().execute("notify news, 'hello'");
            sender.createStatement().execute("notify \"Other News\", 'there'");
            assertThat(received(one, 1)).containsExactly("news hello");
            assertThat(received(two, 2)).containsExactly("news hello", "Other News there");
            assertThat(backend(one)).isEqualTo(backend(two));
            one.createStatement().execute("unlisten news");
            sender.createStatement().execute("notify news, 'again'");
            assertThat(received(two, 1)).containsExactly("news again");
            assertThat(one.unwrap(PGConnection.class).getNotifications(200)).isNullOrEmpty();
        }
        Awaitility.await().untilAsserted(() -> assertThat(gauge("listeners")).isZero());
    }

    @Test
    void a_notification_that_came_during_a_transaction_is_told_at_its_end() throws Exception {
        try (Connection listener = connect();
                Connection sender = connect()) {
            listener.createStatement().execute("listen midnight");
            listener.setAutoCommit(false);
            listener.createStatement().execute("select 1");
            Meter notifications = fixture.metrics.meter("proxy.pool.notifications");
            long before = notifications.getCount();
            sender.createStatement().execute("notify midnight, 'twelve'");
            Awaitility.await()
                    .untilAsserted(() -> assertThat(notifications.getCount()).isGreaterThan(before));
            listener.commit();
            assertThat(received(listener, 1)).containsExactly("midnight twelve");
        }
    }

    private static List<String> received(Connection connection, int count) throws SQLException {
        List<String> all = new ArrayList<>();
        while (all.size() < count) {
            PGNotification[] some = connection.unwrap(PGConnection.class).getNotifications(10_000);
            // pgjdbc answers a timeout with an empty array.
            assertThat(some).as("after %s", all).isNotEmpty();
            for (PGNotification notification : some) {
                all.add(notification.getName() + " " + notification.getParameter());
            }
        }
        return all;
    }

    @Test
    void many_clients_get_through_few_server_connections() throws Exception {
        int clients = 200;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                int number = i;
                all.add(threads.submit(() -> {
                    try (Connection connection = connect("prepareThreshold", "1");
                            PreparedStatement add = connection.prepareStatement("select ?::int + ?::int")) {
                        int sum = 0;
                        for (int j = 0; j < 20; j++) {
                            add.setInt(1, number);
                            add.setInt(2, j);
                            try (ResultSet row = add.executeQuery()) {
                                row.next();
                                sum += row.getInt(1) - number - j;
                            }
                        }
                        return sum;
                    }
                }));
            }
            for (Future<Integer> each : all) {
                assertThat(each.get()).isZero();
            }
        }
        assertThat(gauge("servers")).isLessThanOrEqualTo(54);
        Awaitility.await().untilAsserted(() -> assertThat(gauge("clients")).isZero());
    }

    @Test
    void clients_of_two_kinds_that_all_wait_do_not_log_in_for_each_query() throws Exception {
        ProxyConfiguration few = fixture.change()
                .pool(new PoolSettings(4, 100, Duration.ofSeconds(60), Duration.ofSeconds(60), Duration.ofHours(1), 10))
                .build();
        Set<String> backends = ConcurrentHashMap.newKeySet();
        long start;
        long end;
        try (ProxyServer proxy = fixture.start(few, new MetricRegistry());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            start = System.nanoTime();
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                String kind = POOLED + " -c work_mem=" + (4 + i % 2) + "MB";
                all.add(threads.submit(() -> {
                    try (Connection connection = ProxyFixture.connect(
                            proxy.address().getPort(), "shop", "alice", ProxyFixture.PASSWORD, "options", kind)) {
                        for (int j = 0; j < 15; j++) {
                            backends.add(ProxyFixture.one(
                                    connection, "select pg_backend_pid() from (select pg_sleep(0.02)) as long"));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
            end = System.nanoTime();
        }
        // A kind that has a connection takes the next one at most every 50 ms; now and then one has none.
        assertThat((long) backends.size())
                .isLessThan(10 + 2 * TimeUnit.NANOSECONDS.toMillis(end - start) / 50)
                .isLessThan(24 * 15 / 2);
    }

    @Test
    void cancels_what_a_pooled_client_runs() throws Exception {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            CompletableFuture<SQLException> ended = CompletableFuture.supplyAsync(() -> {
                try {
                    statement.execute("select pg_sleep(60)");
                    throw new AssertionError("was not cancelled");
                } catch (SQLException e) {
                    return e;
                }
            });
            while (!ended.isDone()) {
                Thread.sleep(50);
                statement.cancel();
            }
            assertThat(ended.get().getSQLState()).isEqualTo("57014");
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void clients_outlive_the_sleep_of_their_compute_and_wake_it_with_a_query() throws Exception {
        try (Connection idle = connect("prepareThreshold", "1", "ApplicationName", "sleeper");
                Connection listener = connect("ApplicationName", "sleeper");
                PreparedStatement statement = idle.prepareStatement("select ?::text")) {
            listener.createStatement().execute("listen morning");
            statement.setString(1, "before");
            statement.executeQuery().close();
            fixture.postgres.stop("fast");
            Awaitility.await().untilAsserted(() -> assertThat(gauge("servers")).isZero());
            fixture.directory.wakes.set(0);
            fixture.directory.wake = () -> CompletableFuture.supplyAsync(() -> {
                try {
                    if (!fixture.postgres.running()) {
                        fixture.postgres.start();
                    }
                    return fixture.postgres.socket();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            // A new client is greeted without waking anything; only the query does.
            try (Connection fresh = connect("prepareThreshold", "1", "ApplicationName", "sleeper")) {
                statement.setString(1, "after");
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    assertThat(row.getString(1)).isEqualTo("after");
                }
                fresh.createStatement().execute("notify morning, 'sun'");
                assertThat(received(listener, 1)).containsExactly("morning sun");
            }
        }
    }

    @Test
    void a_transaction_does_not_outlive_its_server_connection() throws Exception {
        try (Connection victim = connect();
                Connection other = connect()) {
            victim.setAutoCommit(false);
            String pid = backend(victim);
            ProxyFixture.one(other, "select pg_terminate_backend(" + pid + ")");
            assertThatThrownBy(() -> backend(victim)).isInstanceOf(SQLException.class);
            assertThat(ProxyFixture.one(other, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void an_unknown_database_is_the_computes_own_error() {
        assertThatThrownBy(() -> to("nowhere", "ApplicationName", "lost"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("3D000"));
    }

    @Test
    void over_tls_it_is_the_same() throws Exception {
        try (Connection connection = connect("sslmode", "require", "channelBinding", "require")) {
            for (int i = 0; i < 10; i++) {
                assertThat(ProxyFixture.one(connection, "select repeat('z', 100000)"))
                        .hasSize(100_000);
            }
        }
    }

    @Test
    void a_client_that_leaves_in_a_transaction_leaves_nothing() throws Exception {
        try (Connection keep = connect()) {
            keep.createStatement().execute("create table if not exists left_over (id int)");
            Connection leaving = connect();
            leaving.setAutoCommit(false);
            leaving.createStatement().execute("insert into left_over values (1)");
            leaving.abort(Runnable::run);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(ProxyFixture.one(keep, "select count(*) from left_over"))
                            .isEqualTo("0"));
            keep.createStatement().execute("drop table left_over");
        }
    }
}
