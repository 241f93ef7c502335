package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.TimelineId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Laws 4, 7 and 9 of the storage: what was acknowledged is there, whoever is killed. */
class CrashLoopIT {
    private static final int CYCLES = 6;
    private static final int KILL_AFTER_MILLIS_MAX = 400;

    private ComputeHarness harness;

    @BeforeEach
    void open() throws IOException {
        harness = new ComputeHarness();
    }

    @AfterEach
    void close() throws IOException {
        harness.close();
    }

    @Test
    void no_acknowledged_commit_is_lost_when_computes_are_killed_while_they_write() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        harness.branch("loop", "template");
        harness.wake("loop");
        harness.execute("loop", "CREATE EXTENSION amcheck", "CREATE TABLE t (n bigint PRIMARY KEY, filler text)");
        AtomicLong acknowledged = new AtomicLong();

        for (int cycle = 0; cycle < CYCLES; cycle++) {
            Thread writer = Thread.ofVirtual().start(() -> write(acknowledged));
            Thread.sleep(random.nextInt(KILL_AFTER_MILLIS_MAX));
            if (random.nextBoolean()) {
                harness.execute("loop", "CHECKPOINT");
            }
            assertThat(Signals.KILL.send(harness.pid("loop"))).isTrue();
            writer.join();
            // The signal is sent, which is not yet a dead process: a wake might still find it well.
            int crashes = cycle + 1;
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> harness.events.stream()
                                    .filter("crashed ep-loop"::equals)
                                    .count()
                            == crashes);
            harness.wake("loop");

            String context = "seed " + seed + ", cycle " + cycle;
            // One more than acknowledged may be there: committed, and killed before it was said.
            assertThat(Long.parseLong(harness.query("loop", "SELECT coalesce(max(n), 0) FROM t")))
                    .as(context)
                    .isBetween(acknowledged.get(), acknowledged.get() + 1);
            assertThat(harness.query("loop", "SELECT count(*) - coalesce(max(n), 0) FROM t"))
                    .as(context)
                    .isEqualTo("0");
            assertThat(harness.query("loop", "SELECT bt_index_check('t_pkey', true)::text"))
                    .as(context)
                    .isEmpty();
            acknowledged.set(Long.parseLong(harness.query("loop", "SELECT coalesce(max(n), 0) FROM t")));
        }
    }

    private void write(AtomicLong acknowledged) {
        try (Connection connection = harness.connect("loop", "postgres");
                PreparedStatement insert =
                        connection.prepareStatement("INSERT INTO t VALUES (?, repeat('x', (?)::int % 2000))")) {
            while (true) {
                long next = acknowledged.get() + 1;
                insert.setLong(1, next);
                insert.setLong(2, next * 37);
                insert.executeUpdate();
                acknowledged.set(next);
            }
        } catch (SQLException | IOException e) {
            // The compute was killed, which is what the test does.
            return;
        }
    }

    @Test
    void a_compute_outlives_a_killed_server_and_the_next_server_adopts_it() throws Exception {
        TimelineId id = harness.branch("outlives", "template");
        harness.wake("outlives");
        harness.execute("outlives", "CREATE TABLE t AS SELECT generate_series(1, 50000) AS n");
        harness.suspend("outlives");
        harness.computes.discardLocal(id);
        harness.closeServer();

        Process server = startServer(harness.directory, "outlives");
        try (Connection connection = harness.connect("outlives", "postgres");
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT 1");
            server.destroyForcibly().waitFor();

            // Its pages are not there yet: the query waits for the next server.
            StringBuilder count = new StringBuilder();
            Thread query = Thread.ofVirtual().start(() -> count.append(count(statement)));
            harness.openServer();
            query.join();

            assertThat(count).hasToString("50000");
            assertThat(harness.computes.state("ep-outlives")).isEqualTo(ComputeState.ACTIVE);
        } finally {
            server.destroyForcibly();
        }
    }

    @Test
    void what_a_killed_server_and_its_killed_compute_leave_is_cleaned_up() throws Exception {
        harness.branch("both", "template");
        harness.closeServer();
        Process server = startServer(harness.directory, "both");
        harness.execute("both", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
        server.destroyForcibly().waitFor();
        Path pgdata = harness.directory.resolve("timelines/both/local/pgdata");
        assertThat(Signals.KILL.send(PostmasterPidFile.parse(Files.readString(pgdata.resolve("postmaster.pid")))
                        .orElseThrow()
                        .pid()))
                .isTrue();

        harness.openServer();

        assertThat(harness.pages.timeline(new TimelineId("both")).epochOpen()).isFalse();
        harness.wake("both");
        assertThat(harness.query("both", "SELECT count(*) FROM t")).isEqualTo("1000");
    }

    private static String count(Statement statement) {
        try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM t")) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException e) {
            return e.toString();
        }
    }

    /** Returns when its compute is awake. */
    private static Process startServer(Path directory, String timeline) throws IOException {
        Process server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dcoppice.build.directory=" + System.getProperty("coppice.build.directory", "target"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        ServerProcess.class.getName(),
                        directory.toString(),
                        timeline)
                .redirectErrorStream(true)
                .start();
        StringBuilder output = new StringBuilder();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.equals("awake")) {
                return server;
            }
            output.append(line).append('\n');
        }
        throw new IOException("the server ended: " + output);
    }
}
