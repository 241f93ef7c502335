package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Real Postgres under the interposer, on the real page service. */
class ComputeServiceIT {
    private static ComputeHarness harness;

    @BeforeAll
    static void open() throws IOException {
        harness = new ComputeHarness();
    }

    @AfterAll
    static void close() throws IOException {
        harness.close();
    }

    @Test
    void data_survives_suspend_and_wake() throws Exception {
        harness.branch("suspend", "template");
        harness.wake("suspend");
        harness.execute("suspend", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");

        harness.suspend("suspend");
        assertThat(harness.computes.state("ep-suspend")).isEqualTo(ComputeState.IDLE);
        harness.wake("suspend");

        assertThat(harness.query("suspend", "SELECT sum(n) FROM t")).isEqualTo("500500");
    }

    @Test
    void data_survives_the_loss_of_all_local_files() throws Exception {
        TimelineId id = harness.branch("cold", "template");
        harness.wake("cold");
        harness.execute("cold", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
        harness.suspend("cold");

        harness.computes.discardLocal(id);
        harness.wake("cold");

        assertThat(harness.query("cold", "SELECT sum(n) FROM t")).isEqualTo("500500");
    }

    @Test
    void a_branch_of_a_running_parent_has_everything_committed_and_goes_its_own_way() throws Exception {
        harness.branch("parent", "template");
        harness.wake("parent");
        harness.execute("parent", "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)");

        harness.branch("child", "parent");
        harness.execute("parent", "INSERT INTO t VALUES (2)");
        harness.wake("child");
        harness.execute("child", "INSERT INTO t VALUES (10)");

        assertThat(harness.query("child", "SELECT string_agg(n::text, ',' ORDER BY n) FROM t"))
                .isEqualTo("1,10");
        assertThat(harness.query("parent", "SELECT string_agg(n::text, ',' ORDER BY n) FROM t"))
                .isEqualTo("1,2");
    }

    @Test
    void a_killed_compute_is_cleaned_up_after_and_the_next_wake_has_every_commit() throws Exception {
        harness.branch("crash", "template");
        harness.wake("crash");
        harness.execute("crash", "CREATE TABLE t (n int)", "INSERT INTO t SELECT generate_series(1, 5000)");
        Path local = harness.pages
                .timeline(new TimelineId("crash"))
                .layout()
                .directory()
                .resolve("local");

        boolean delivered = Signals.KILL.send(harness.pid("crash"));
        assertThat(delivered).isTrue();

        await().atMost(Duration.ofSeconds(30)).until(() -> harness.events.contains("crashed ep-crash"));
        assertThat(local).doesNotExist();
        assertThat(harness.computes.status("ep-crash").orElseThrow().failure()).isPresent();
        harness.wake("crash");
        assertThat(harness.query("crash", "SELECT count(*) FROM t")).isEqualTo("5000");
        assertThat(harness.computes.status("ep-crash").orElseThrow().failure()).isEmpty();
    }

    @Test
    void a_crash_of_one_backend_takes_the_compute_down_and_the_next_wake_recovers() throws Exception {
        harness.branch("backend", "template");
        harness.wake("backend");
        harness.execute("backend", "CREATE TABLE t (n int)", "INSERT INTO t VALUES (42)");

        try (Connection connection = harness.connect("backend", "postgres");
                Statement statement = connection.createStatement();
                ResultSet pid = statement.executeQuery("SELECT pg_backend_pid()")) {
            pid.next();
            assertThat(Signals.KILL.send(pid.getLong(1))).isTrue();
            await().atMost(Duration.ofSeconds(30)).until(() -> harness.events.contains("crashed ep-backend"));
        }

        harness.wake("backend");
        assertThat(harness.query("backend", "SELECT n FROM t")).isEqualTo("42");
    }

    @Test
    void a_running_compute_is_adopted_by_a_new_server_and_still_gets_its_pages() throws Exception {
        harness.branch("adopted", "template");
        harness.wake("adopted");
        harness.execute("adopted", "CREATE TABLE t AS SELECT generate_series(1, 10000) AS n");
        harness.suspend("adopted");
        harness.computes.discardLocal(new TimelineId("adopted"));
        harness.wake("adopted");
        long pid = harness.pid("adopted");

        try (Connection connection = harness.connect("adopted", "postgres");
                Statement statement = connection.createStatement()) {
            harness.restartServer();
            // The session that was open all the time reads pages that nobody has asked for yet.
            try (ResultSet rows = statement.executeQuery("SELECT sum(n) FROM t")) {
                rows.next();
                assertThat(rows.getLong(1)).isEqualTo(50_005_000);
            }
        }

        assertThat(harness.computes.state("ep-adopted")).isEqualTo(ComputeState.ACTIVE);
        assertThat(harness.pid("adopted")).isEqualTo(pid);
        assertThat(harness.query("adopted", "SELECT count(*) FROM t")).isEqualTo("10000");
        harness.suspend("adopted");
        harness.wake("adopted");
        assertThat(harness.query("adopted", "SELECT count(*) FROM t")).isEqualTo("10000");
    }

    @Test
    void an_adopted_compute_that_dies_is_noticed() throws Exception {
        harness.branch("adopted-dies", "template");
        harness.wake("adopted-dies");
        harness.execute("adopted-dies", "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)");
        harness.restartServer();

        assertThat(Signals.KILL.send(harness.pid("adopted-dies"))).isTrue();

        await().atMost(Duration.ofSeconds(30)).until(() -> harness.events.contains("crashed ep-adopted-dies"));
        harness.wake("adopted-dies");
        assertThat(harness.query("adopted-dies", "SELECT n FROM t")).isEqualTo("1");
    }

    @Test
    void many_wakes_at_once_start_one_process_and_all_get_its_address() {
        harness.branch("many", "template");
        List<CompletableFuture<ComputeAddress>> wakes = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            wakes.add(harness.computes.wake(ComputeHarness.spec("many")));
        }

        assertThat(wakes.stream().map(ComputeHarness::await).distinct()).hasSize(1);
        assertThat(harness.events.stream().filter("woken ep-many"::equals)).hasSize(1);
    }

    @Test
    void a_wake_during_a_suspend_waits_and_wakes_again_and_the_other_way_round() throws Exception {
        harness.branch("order", "template");
        CompletableFuture<ComputeAddress> first = harness.computes.wake(ComputeHarness.spec("order"));
        CompletableFuture<Void> suspend = harness.computes.suspend("ep-order");
        CompletableFuture<ComputeAddress> second = harness.computes.wake(ComputeHarness.spec("order"));

        ComputeHarness.await(second);

        assertThat(first).isCompleted();
        assertThat(suspend).isCompleted();
        assertThat(harness.events.stream().filter(event -> event.endsWith("ep-order")))
                .containsExactly("woken ep-order", "suspended ep-order", "woken ep-order");
        assertThat(harness.query("order", "SELECT 1")).isEqualTo("1");
    }

    @Test
    void a_second_endpoint_cannot_have_a_running_timeline_and_leaves_the_first_alone() throws Exception {
        TimelineId id = harness.branch("taken", "template");
        harness.wake("taken");

        CompletableFuture<ComputeAddress> other =
                harness.computes.wake(new ComputeSpec("ep-thief", id, ComputeSettings.defaults()));

        assertThatThrownBy(other::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(ComputeException.class)
                .hasMessageContaining("ep-taken");
        assertThat(harness.computes.state("ep-thief")).isEqualTo(ComputeState.FAILED);
        assertThat(harness.query("taken", "SELECT 1")).isEqualTo("1");
    }

    @Test
    void a_setting_that_postgres_refuses_is_left_out_and_named() throws Exception {
        TimelineId id = harness.branch("broken", "template");
        ComputeSettings wrong = new ComputeSettings(0.25, Map.of("work_mem", "plenty"));

        harness.computes.wake(new ComputeSpec("ep-broken", id, wrong)).get();

        assertThat(harness.computes.leftOut("ep-broken").get("work_mem")).contains("plenty");
        assertThat(harness.query("broken", "SHOW work_mem")).isEqualTo("4MB");
        assertThat(harness.query("broken", "SHOW full_page_writes")).isEqualTo("off");
    }

    @Test
    void nobody_but_the_admin_comes_in_without_a_password_and_sockets_are_private() throws Exception {
        harness.branch("private", "template");
        ComputeAddress address = harness.wake("private");
        harness.execute("private", "CREATE ROLE app LOGIN");

        assertThatThrownBy(() -> {
                    try (UnixSocketBridge bridge = new UnixSocketBridge(address.socket());
                            Connection connection = java.sql.DriverManager.getConnection("jdbc:postgresql://127.0.0.1:"
                                    + bridge.port() + "/postgres?user=app&password=guess&sslmode=disable")) {
                        connection.isValid(1);
                    }
                })
                .hasMessageContaining("password authentication failed");
        assertThat(Files.getPosixFilePermissions(address.directory()))
                .isEqualTo(java.nio.file.attribute.PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void settings_made_with_alter_system_survive_but_cannot_open_a_port() throws Exception {
        harness.branch("settings", "template");
        harness.wake("settings");
        harness.execute(
                "settings", "ALTER SYSTEM SET work_mem = '17MB'", "ALTER SYSTEM SET listen_addresses = '127.0.0.1'");
        harness.suspend("settings");
        harness.computes.discardLocal(new TimelineId("settings"));
        harness.wake("settings");

        assertThat(harness.query("settings", "SHOW work_mem")).isEqualTo("17MB");
        assertThat(harness.query("settings", "SHOW listen_addresses")).isEmpty();
    }
}
