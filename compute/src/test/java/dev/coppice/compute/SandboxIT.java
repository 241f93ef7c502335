package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.sandbox.Isolation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real Postgres in the sandbox: programs that its superuser starts reach nothing but it, and it works as ever. */
class SandboxIT {
    private static ComputeHarness harness;

    @BeforeAll
    static void start() throws IOException {
        harness = new ComputeHarness();
        harness.branch("a", "template");
        harness.branch("b", "template");
        harness.wake("a");
        harness.wake("b");
    }

    @AfterAll
    static void stop() throws IOException {
        harness.close();
    }

    @Test
    void this_machine_has_a_sandbox() {
        assertThat(harness.computes.isolation().level()).isNotEqualTo(Isolation.Level.NONE);
    }

    @Test
    void ordinary_programs_run() throws Exception {
        assertThat(program("echo one; printf 'c\\nb\\na\\n' | sort | head -n 1"))
                .isEqualTo("one\na");
        assertThat(program("f=$(mktemp) && echo kept >$f && cat $f && rm $f")).isEqualTo("kept");
        assertThat(program("cat $PWD/PG_VERSION"))
                .isEqualTo(Integer.toString(TestDirectories.binaries().majorVersion()));
    }

    @Test
    void programs_do_not_reach_files_of_others() throws Exception {
        Path other = harness.pages.timeline(new TimelineId("b")).layout().directory();
        assertRefused("cat " + other.resolve("local/pgdata/PG_VERSION"));
        assertRefused("ls " + other.resolve("journal"));
        assertRefused("ls " + harness.directory.resolve("run"));
        assertRefused("echo x >" + other.resolve("local/pgdata/x"));
        assertRefused("ls /proc");
        assertRefused("cat /etc/shadow");
        assertRefused("cat /proc/1/environ");
        assertRefused("ls /");
        assertRefused("ls /tmp");
        assertRefused("touch /tmp/coppice-was-here");
        assertRefused("touch /dev/shm/coppice-was-here");
    }

    @Test
    void programs_make_no_links_and_start_nothing_that_they_wrote() throws Exception {
        assertRefused("ln -s /etc ../link");
        assertRefused("mkfifo ../fifo");
        assertRefused("cp /bin/true ../true && ../true");
    }

    @Test
    void programs_signal_nobody_else() throws Exception {
        assertRefused("kill -9 " + harness.pid("b"));
        assertRefused("kill -0 " + ProcessHandle.current().pid());
        assertThat(harness.query("b", "select 1")).isEqualTo("1");
    }

    @Test
    void programs_make_no_namespaces() throws Exception {
        assertRefused("unshare --user true");
    }

    @Test
    void a_compute_of_an_ordinary_timeline_has_a_network() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(program("bash -c 'exec 3<>/dev/tcp/127.0.0.1/" + server.getLocalPort() + " && echo connected'"))
                    .isEqualTo("connected");
        }
    }

    @Test
    void the_server_works_as_ever() throws Exception {
        harness.execute(
                "a",
                "create table t as select g, md5(g::text) m from generate_series(1, 100000) g",
                "create index on t (m)",
                "vacuum full t",
                "vacuum analyze t",
                "create extension pg_trgm",
                "create database other",
                "checkpoint");
        try (Connection connection = harness.connect("a", "postgres");
                Statement statement = connection.createStatement()) {
            statement.execute("set min_parallel_table_scan_size = 0");
            statement.execute("set parallel_setup_cost = 0");
            statement.execute("set parallel_tuple_cost = 0");
            StringBuilder plan = new StringBuilder();
            try (ResultSet rows = statement.executeQuery(
                    "explain (analyze, costs off) select count(*) from t a join t b using (m)")) {
                while (rows.next()) {
                    plan.append(rows.getString(1)).append('\n');
                }
            }
            assertThat(plan.toString()).containsPattern("Workers Launched: [1-9]");
        }
        harness.suspend("a");
        assertThat(harness.events).contains("suspended ep-a").doesNotContain("crashed ep-a");
        harness.wake("a");
        assertThat(harness.query("a", "select count(*) from t")).isEqualTo("100000");
    }

    @Test
    void a_compute_dies_before_the_server_when_memory_is_short() throws Exception {
        String score = Files.readString(Path.of("/proc/" + harness.pid("b") + "/oom_score_adj"))
                .strip();
        assertThat(Integer.parseInt(score)).isGreaterThan(0);
    }

    /** What a program of the compute on timeline a prints. */
    private static String program(String command) throws SQLException, IOException {
        try (Connection connection = harness.connect("a", "postgres");
                Statement statement = connection.createStatement()) {
            statement.execute("create temporary table output (line text)");
            statement.execute("copy output from program '" + command.replace("'", "''") + "'");
            try (ResultSet rows = statement.executeQuery("select string_agg(line, E'\\n') from output")) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    private static void assertRefused(String command) throws SQLException, IOException {
        assertThat(program("{ " + command + "; } 2>&1 || true"))
                .as(command)
                .containsAnyOf("Permission denied", "Operation not permitted");
    }
}
