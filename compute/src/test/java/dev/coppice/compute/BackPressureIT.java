package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.PageService;
import dev.coppice.storage.SlowDisk;
import dev.coppice.storage.Timeline;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A compute that writes faster than its journal becomes layers is slowed down, and ends well. */
class BackPressureIT {
    private static final long MEGABYTE = 1 << 20;
    private static final int LIMIT_MEGABYTES = 48;
    private static final long DISK_BYTES_PER_SECOND = 10 * MEGABYTE;

    /** Rows of about 1 kB. */
    private static final int ROWS = Integer.getInteger("coppice.backpressure.rows", 150_000);

    private static final StorageConfiguration CONFIGURATION =
            new StorageConfiguration(16, 16, 4, LIMIT_MEGABYTES, 0, 16, 4, 300, 600, 300);

    private static PageService slow(Path timelines) {
        return SlowDisk.open(timelines, CONFIGURATION, DISK_BYTES_PER_SECOND);
    }

    @Test
    void a_load_faster_than_the_disk_stays_within_the_limit_and_loses_nothing() throws Exception {
        try (ComputeHarness harness = new ComputeHarness(TestDirectories.create(), BackPressureIT::slow)) {
            harness.branch("load", "template");
            harness.wake("load");
            Timeline timeline = harness.pages.timeline(new TimelineId("load"));
            AtomicBoolean slowed = new AtomicBoolean();
            long most = 0;

            CompletableFuture<Void> load = CompletableFuture.runAsync(() -> {
                try {
                    harness.execute(
                            "load",
                            "CREATE TABLE t AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, "
                                    + ROWS + ") n");
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            while (!load.isDone()) {
                most = Math.max(most, SlowDisk.backlog(timeline));
                if (harness.computes.writeDelayMicroseconds("ep-load") > 0) {
                    slowed.set(true);
                }
                Thread.sleep(20);
            }
            load.join();

            assertThat(slowed).as("%d bytes waited at most", most).isTrue();
            assertThat(most).isLessThan(LIMIT_MEGABYTES * MEGABYTE);
            assertThat(harness.query("load", "SELECT count(*) FROM t")).isEqualTo(Integer.toString(ROWS));
        }
    }

    @Test
    void what_the_server_said_before_it_went_away_holds_for_a_moment_only() throws Exception {
        try (ComputeHarness harness = new ComputeHarness()) {
            TimelineId id = harness.branch("alone", "template");
            harness.wake("alone");
            harness.execute("alone", "CREATE TABLE t (n int, text text)");
            new WriteThrottle()
                    .say(harness.pages.timeline(id).layout().directory().resolve("local/compute.map"), 100_000, "");
            // 2,000 pages of 0.1 s each would take longer than any test waits.
            harness.execute(
                    "alone",
                    "INSERT INTO t SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 16000) n",
                    "CHECKPOINT");
            assertThat(harness.query("alone", "SELECT count(*) FROM t")).isEqualTo("16000");
        }
    }
}
