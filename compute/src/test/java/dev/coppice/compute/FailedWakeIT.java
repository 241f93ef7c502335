package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.timeline.FileOwner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A wake that fails, wherever it fails, leaves the branch to be woken again, by others too, and to be deleted. */
class FailedWakeIT {
    private static final TimelineId BRANCH = new TimelineId("branch");

    private Path mount;
    private ComputeHarness harness;

    @BeforeEach
    void open() throws Exception {
        mount = TestDirectories.create();
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", mount.toString()),
                "no file system can be mounted here, so none can be full");
        Path directory = Files.createDirectory(mount.resolve("d"));
        Files.setPosixFilePermissions(mount, PosixFilePermissions.fromString("rwx--x--x"));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        harness = new ComputeHarness(directory);
        harness.branch("branch", "template");
    }

    @AfterEach
    void close() throws Exception {
        try {
            if (harness != null) {
                harness.close();
            }
        } finally {
            assertThat(run("umount", "-l", mount.toString())).isTrue();
            Files.deleteIfExists(mount);
        }
    }

    @Test
    void with_a_full_disk() throws Exception {
        fillDisk();

        assertThatThrownBy(() -> harness.wake("branch")).isInstanceOf(AssertionError.class);

        assertThat(another()).isNotNull();
        deleteBranch();
    }

    @Test
    void with_a_full_disk_under_a_compute_that_runs() throws Exception {
        harness.wake("branch");
        harness.execute("branch", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
        fillDisk();

        harness.suspend("branch");

        deleteBranch();
    }

    @Test
    void and_the_next_wake_has_everything_when_there_is_space_again() throws Exception {
        harness.wake("branch");
        harness.execute("branch", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
        Path filler = fillDisk();
        harness.suspend("branch");
        harness.computes.discardLocal(BRANCH);
        assertThatThrownBy(() -> harness.wake("branch")).isInstanceOf(AssertionError.class);

        Files.delete(filler);

        harness.wake("branch");
        assertThat(harness.query("branch", "SELECT sum(n) FROM t")).isEqualTo("500500");
    }

    @Test
    void with_a_journal_that_cannot_be_begun() throws Exception {
        Path journal = harness.pages.timeline(BRANCH).layout().journal();
        Files.writeString(journal, "in the way of the directory");

        assertThatThrownBy(() -> harness.wake("branch")).isInstanceOf(AssertionError.class);

        deleteBranch();
    }

    @Test
    void with_a_marker_of_local_files_that_cannot_be_read() throws Exception {
        harness.wake("branch");
        harness.suspend("branch");
        Path marker = harness.pages.timeline(BRANCH).layout().directory().resolve("clean");
        Files.delete(marker);
        Files.createDirectory(marker);

        assertThatThrownBy(() -> harness.wake("branch")).isInstanceOf(AssertionError.class);

        harness.computes.discardLocal(BRANCH);
        harness.wake("branch");
        assertThat(harness.query("branch", "SELECT 1")).isEqualTo("1");
        harness.suspend("branch");
        deleteBranch();
    }

    @Test
    void with_an_epoch_that_was_left_open_over_a_restart() throws Exception {
        ComputeUser user = ComputeUser.detect();
        harness.pages.timeline(BRANCH).beginEpoch(new FileOwner(user.uid(), user.gid()));
        harness.restartServer();

        assertThat(harness.pages.timeline(BRANCH).epochOpen()).isFalse();
        deleteBranch();
    }

    /** Another endpoint may have the timeline: it fails for the same reason, not because somebody had it first. */
    private Throwable another() {
        ComputeSpec spec = new ComputeSpec("ep-another", BRANCH, ComputeSettings.defaults());
        try {
            ComputeHarness.await(harness.computes.wake(spec));
        } catch (AssertionError e) {
            assertThat(e.getCause()).hasMessageNotContaining("runs on timeline");
            return e;
        }
        throw new AssertionError("woke on a full disk");
    }

    private void deleteBranch() {
        harness.suspend("branch");
        harness.computes.discardLocal(BRANCH);
        harness.pages.delete(BRANCH);
        assertThat(harness.pages.exists(BRANCH)).isFalse();
        harness.computes.forget("ep-branch");
        // The name is free again.
        BranchPoint point = harness.pages.timeline(new TimelineId("template")).head();
        assertThat(point).isNotNull();
    }

    private Path fillDisk() throws IOException {
        Path filler = mount.resolve("filler");
        try (FileChannel channel = FileChannel.open(filler, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocate(1 << 16);
            while (true) {
                channel.write(zeros.clear());
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space");
        }
        return filler;
    }

    private static boolean run(String... command) throws Exception {
        return new ProcessBuilder(List.of(command))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }
}
