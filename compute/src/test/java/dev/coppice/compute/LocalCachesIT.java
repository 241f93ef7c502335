package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.common.TimelineId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The budget for local files of suspended computes, with real ones. */
class LocalCachesIT {
    private static final long SLACK = 2 << 20;

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
    void those_suspended_longest_ago_go_until_the_rest_fits_and_running_ones_stay() throws Exception {
        for (String name : new String[] {"oldest", "middle", "newest", "running"}) {
            harness.branch(name, "template");
            harness.wake(name);
            harness.execute(name, "CREATE TABLE t AS SELECT g, repeat('x', 400) AS f FROM generate_series(1, 20000) g");
        }
        harness.suspend("oldest");
        harness.suspend("middle");
        harness.suspend("newest");
        // Used again, so it is not the oldest any more.
        harness.wake("oldest");
        harness.suspend("oldest");
        assertThat(bytes("middle")).isGreaterThan(8 << 20);
        assertThat(bytes("middle")).isLessThan(200 << 20);

        long budget = bytes("oldest") + bytes("newest") + SLACK;
        harness.closeServer();
        harness.localCacheBytes = budget;
        harness.openServer();

        await().atMost(Duration.ofSeconds(30)).until(() -> Files.notExists(local("middle")));
        assertThat(local("oldest")).exists();
        assertThat(local("newest")).exists();

        harness.closeServer();
        harness.localCacheBytes = 0;
        harness.openServer();

        await().atMost(Duration.ofSeconds(30))
                .until(() -> Files.notExists(local("oldest")) && Files.notExists(local("newest")));
        assertThat(local("running")).exists();
        assertThat(harness.query("running", "SELECT sum(g) FROM t")).isEqualTo("200010000");
        harness.suspend("running");
        await().atMost(Duration.ofSeconds(30)).until(() -> Files.notExists(local("running")));
        assertThat(bytes("running")).isZero();
        harness.wake("running");
        assertThat(harness.query("running", "SELECT sum(g) FROM t")).isEqualTo("200010000");
    }

    private long bytes(String timeline) {
        return harness.computes.localCacheBytes(new TimelineId(timeline));
    }

    private Path local(String timeline) {
        return harness.directory.resolve("timelines").resolve(timeline).resolve("local");
    }
}
