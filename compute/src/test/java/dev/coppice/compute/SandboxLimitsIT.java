package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A compute that takes all it can get leaves the others alone. Needs root and control groups. */
class SandboxLimitsIT {
    /** How long they sleep, in seconds; no other process of the machine has this argument. */
    private static final String UNIQUE = "3600." + ProcessHandle.current().pid();

    private ComputeHarness harness;

    @BeforeEach
    void start() throws IOException {
        harness = new ComputeHarness();
        assumeTrue(
                harness.computes.isolation().missing().isEmpty(),
                () -> harness.computes.isolation().text());
        harness.branch("greedy", "template");
        harness.branch("modest", "template");
        harness.wake("greedy");
        harness.wake("modest");
    }

    @AfterEach
    void stop() throws IOException {
        harness.close();
    }

    @Test
    void a_fork_bomb_runs_into_its_own_limit() throws Exception {
        runQuietly("greedy", "copy (select 1) to program 'f() { f & f & wait; }; (f) >/dev/null 2>&1 & sleep 2'");

        assertThat(harness.query("modest", "select count(*) from pg_class")).isNotEqualTo("0");
    }

    @Test
    void what_a_program_leaves_running_ends_with_its_compute() throws Exception {
        harness.execute(
                "greedy",
                "copy (select 1) to program 'cd /; for i in 1 2 3; do setsid sleep " + UNIQUE
                        + " >/dev/null 2>&1 & done'");
        assertThat(strays()).isPositive();

        harness.suspend("greedy");

        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(strays()).isZero());
        assertThat(harness.query("modest", "select 1")).isEqualTo("1");
    }

    @Test
    void a_compute_that_takes_too_much_memory_ends_alone() throws Exception {
        // Sorted in memory, several times what the smallest size has.
        assertThatThrownBy(() -> harness.execute(
                        "greedy",
                        "set work_mem = '16GB'",
                        "select count(*) from (select repeat('x', 1000) || g as t from generate_series(1, 4000000) g"
                                + " order by t offset 1) s"))
                .isInstanceOf(SQLException.class);

        assertThat(harness.query("modest", "select 1")).isEqualTo("1");
    }

    private static long strays() {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info().commandLine().orElse("").contains("sleep " + UNIQUE))
                .count();
    }

    private void runQuietly(String timeline, String sql) throws IOException {
        try (Connection connection = harness.connect(timeline, "postgres");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            // The bomb may well have hit its own shell.
            assertThat(e.getMessage()).isNotEmpty();
        }
    }
}
