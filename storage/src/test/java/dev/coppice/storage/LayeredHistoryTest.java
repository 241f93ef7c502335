package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.io.FileSpace;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.layer.store.ManifestConflictException;
import dev.coppice.storage.layout.BranchPoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A timeline whose journal becomes layers: what stays readable, what is given back, and what a failure leaves. */
class LayeredHistoryTest {
    private static final TimelineId ROOT = new TimelineId("root");
    private static final int BLOCK = Timeline.BLOCK_SIZE;

    private final TestDirectory directory = new TestDirectory();
    private final FullDisk disk = new FullDisk();
    private PageService service = open();

    /** A disk on which nothing can be written while it is full. */
    private static final class FullDisk extends FileWrites {
        volatile boolean full;

        @Override
        public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
            if (full) {
                throw new IOException("No space left on device");
            }
            super.write(channel, bytes);
        }
    }

    @AfterEach
    void clean_up() {
        service.close();
        directory.close();
    }

    private PageService open() {
        return PageService.open(directory.path().resolve("timelines"), StorageConfiguration.DEFAULTS, disk);
    }

    private Timeline reopened() {
        service.close();
        service = open();
        return service.timeline(ROOT);
    }

    private Timeline writing() {
        Timeline timeline = service.createRoot(ROOT);
        timeline.beginEpoch(RealPostgres.owner());
        return timeline;
    }

    private static byte[] block(int value) {
        byte[] bytes = new byte[BLOCK];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static byte[] randomBlock(Random random) {
        byte[] bytes = new byte[BLOCK];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void fill(Timeline timeline, int blocks, int value) {
        Journaling journal = Journaling.to(timeline);
        for (int b = 0; b < blocks; b++) {
            journal.page("base/5/1", b, block(value));
        }
    }

    private static void assertFilled(Timeline timeline, int blocks, int value) {
        byte[] content = timeline.readFile("base/5/1").orElseThrow();
        assertThat(content).hasSize(blocks * BLOCK);
        for (byte b : content) {
            if (b != value) {
                throw new AssertionError("found " + b + ", not " + value);
            }
        }
    }

    @Test
    void a_damaged_manifest_of_an_ancestor_refuses_reads_at_once() throws Exception {
        Timeline root = writing();
        fill(root, 20, 1);
        root.flush();
        TimelineId child = new TimelineId("child");
        service.createBranch(child, root.head());
        service.close();
        Path layers =
                directory.path().resolve("timelines").resolve(ROOT.value()).resolve("layers");
        try (Stream<Path> names = Files.list(layers)) {
            for (Path file : (Iterable<Path>) names::iterator) {
                if (file.getFileName().toString().startsWith("manifest")) {
                    Files.writeString(file, "{");
                }
            }
        }
        service = open();
        Timeline damaged = service.timeline(child);
        assertThatThrownBy(() -> assertTimeoutPreemptively(Duration.ofMinutes(1), () -> damaged.stat("base/5/1")))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("manifest");
    }

    @Test
    void after_a_flush_a_restart_reads_only_the_journal_behind_it() {
        Timeline root = writing();
        fill(root, 500, 1);
        root.stat("base/5/1");
        long indexed = root.history().journal().unflushedBytes();
        assertThat(indexed).isGreaterThan(500L * BLOCK);
        root.flush();
        fill(root, 3, 2);
        Timeline again = reopened();
        assertThat(again.stat("base/5/1").size()).isEqualTo(500L * BLOCK);
        assertThat(again.history().journal().unflushedBytes()).isBetween(3L * BLOCK, 4L * BLOCK);
        assertThat(again.readFile("base/5/1").orElseThrow()[3 * BLOCK - 1]).isEqualTo((byte) 2);
        assertThat(again.readFile("base/5/1").orElseThrow()[3 * BLOCK]).isEqualTo((byte) 1);
        assertThat(again.epochOpen()).isTrue();
    }

    @Test
    void a_flush_gives_the_journal_back_and_the_compute_goes_on_appending() {
        Timeline root = writing();
        Random random = new Random(1);
        Journaling journal = Journaling.to(root);
        for (int b = 0; b < 300; b++) {
            journal.page("base/5/1", b, randomBlock(random));
        }
        byte[] before = root.readFile("base/5/1").orElseThrow();
        long length = journal.segment().toFile().length();
        assertThat(FileSpace.allocatedBelow(root.layout().journal())).isGreaterThan(300L * BLOCK);
        root.flush();
        assertThat(FileSpace.allocatedBelow(root.layout().journal())).isLessThan(20L * BLOCK);
        assertThat(journal.segment().toFile().length()).isGreaterThanOrEqualTo(length);
        assertThat(root.readFile("base/5/1").orElseThrow()).isEqualTo(before);
        journal.page("base/5/1", 0, block(7));
        assertThat(Arrays.copyOf(root.readFile("base/5/1").orElseThrow(), BLOCK))
                .isEqualTo(block(7));
        assertThat(Arrays.copyOf(reopened().readFile("base/5/1").orElseThrow(), BLOCK))
                .isEqualTo(block(7));
    }

    @Test
    void flushed_epochs_leave_only_the_newest_segment_and_their_number_goes_on() throws Exception {
        Timeline root = writing();
        for (int epoch = 1; epoch <= 5; epoch++) {
            fill(root, 10, epoch);
            root.endEpoch();
            root.beginEpoch(RealPostgres.owner());
        }
        root.endEpoch();
        root.flush();
        try (var segments = Files.list(root.layout().journal())) {
            assertThat(segments).hasSize(1);
        }
        Timeline again = reopened();
        assertThat(again.epochOpen()).isFalse();
        assertThat(again.currentEpoch()).isEqualTo(6);
        assertThat(again.beginEpoch(RealPostgres.owner()).number()).isEqualTo(7);
        assertFilled(again, 10, 5);
    }

    @Test
    void a_full_disk_fails_a_flush_and_nothing_else_and_the_next_one_succeeds() {
        Timeline root = writing();
        fill(root, 100, 1);
        disk.full = true;
        assertThatThrownBy(root::flush)
                .isInstanceOf(StorageException.class)
                .hasRootCauseMessage("No space left on device");
        assertFilled(root, 100, 1);
        fill(root, 100, 2);
        assertFilled(root, 100, 2);
        assertThatThrownBy(root::flush).isInstanceOf(StorageException.class);
        disk.full = false;
        root.flush();
        assertFilled(root, 100, 2);
        Timeline again = reopened();
        assertFilled(again, 100, 2);
        assertThat(again.history().journal().unflushedBytes()).isZero();
        assertThat(again.readAmplification()).isEqualTo(2);
    }

    @Test
    void layers_that_no_manifest_lists_are_removed_by_the_next_collection() throws Exception {
        Timeline root = writing();
        fill(root, 10, 1);
        root.flush();
        Path stray = root.layout().directory().resolve("layers/delta-0-0-stray");
        Files.writeString(stray, "left over");
        try (var names = Files.list(root.layout().directory().resolve("layers"))) {
            Path layer = names.filter(
                            p -> !p.equals(stray) && !p.getFileName().toString().startsWith("manifest"))
                    .findFirst()
                    .orElseThrow();
            Files.copy(layer, layer.resolveSibling(layer.getFileName() + "0"));
        }
        reopened();
        service.collectGarbage(ROOT);
        assertThat(service.timeline(ROOT).history().resources().layers().list(ROOT))
                .hasSize(1);
        assertFilled(service.timeline(ROOT), 10, 1);
    }

    @Test
    void whoever_lost_the_manifest_to_another_writer_stops_writing_layers() {
        Timeline root = writing();
        fill(root, 10, 1);
        root.flush();
        TimelineHistory history = root.history();
        byte[] theirs =
                history.resources().layers().manifest(ROOT).orElseThrow().content();
        history.resources().layers().putManifest(ROOT, history.layers().version(), theirs);
        fill(root, 10, 2);
        assertThatThrownBy(root::flush).isInstanceOf(ManifestConflictException.class);
        assertThatThrownBy(root::flush).isInstanceOf(ManifestConflictException.class);
        assertFilled(root, 10, 2);
    }

    @Test
    void many_small_flushes_are_merged_so_that_a_read_meets_few_layers() {
        Timeline root = writing();
        for (int version = 1; version <= 30; version++) {
            fill(root, 5, version);
            Journaling.to(root).append(EntryType.CREATE, "base/5/" + (100 + version), 0, 0);
            root.flush();
            service.compact(ROOT);
            assertThat(root.readAmplification()).isLessThan(StorageConfiguration.DEFAULTS.compactionLayers());
        }
        assertFilled(root, 5, 30);
        assertThat(root.list("base/5").orElse(List.of())).isEmpty();
        assertFilled(reopened(), 5, 30);
    }

    @Test
    void readers_are_not_disturbed_by_flushes_merges_and_collections() throws Exception {
        Timeline root = writing();
        fill(root, 64, 1);
        root.stat("base/5/1");
        AtomicBoolean done = new AtomicBoolean();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> readers = new ArrayList<>();
        for (int r = 0; r < 3; r++) {
            readers.add(Thread.ofVirtual()
                    .uncaughtExceptionHandler((thread, e) -> failures.add(e))
                    .start(() -> readUntil(done, root)));
        }
        for (int version = 2; version <= 40 && failures.isEmpty(); version++) {
            fill(root, 64, version);
            root.stat("base/5/1");
            root.flush();
            if (version % 3 == 0) {
                service.compact(ROOT);
            }
            if (version % 7 == 0) {
                service.collectGarbage(ROOT);
            }
        }
        done.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(failures).isEmpty();
        assertFilled(root, 64, 40);
    }

    private static void readUntil(AtomicBoolean done, Timeline root) {
        int[] newest = new int[64];
        Random random = new Random(1);
        while (!done.get()) {
            int first = random.nextInt(64);
            root.readPages("base/5/1", first, 64 - first, new PageConsumer() {
                @Override
                public void zero(long block) {
                    throw new AssertionError("block " + block + " was written");
                }

                @Override
                public void page(long block, long stamp, ByteBuffer page) {
                    int version = page.get(page.position());
                    if (version < newest[(int) block] || page.get(page.position() + BLOCK - 1) != version) {
                        throw new AssertionError("block " + block + " went back to " + version);
                    }
                    newest[(int) block] = version;
                }
            });
        }
    }

    @Test
    void a_branch_that_was_never_written_has_neither_manifest_nor_layers() {
        Timeline root = writing();
        Journaling.to(root).append(EntryType.MKDIR, "base", 0, 0);
        Journaling.to(root).append(EntryType.MKDIR, "base/5", 0, 0);
        fill(root, 10, 1);
        root.flush();
        Timeline child = service.createBranch(new TimelineId("child"), new BranchPoint(ROOT, new Lsn(1)));
        child.flush();
        service.collectGarbage(child.id());
        service.compact(child.id());
        assertFilled(child, 10, 1);
        assertThat(child.layout().directory()).isDirectoryContaining("glob:**timeline.json");
        assertThat(child.layout().directory().toFile().list()).containsExactly("timeline.json");
        assertThat(child.size().ownBytes()).isZero();
        assertThat(child.size().logicalBytes()).isEqualTo(10L * BLOCK);
    }

    @Test
    void an_index_that_nobody_asks_leaves_the_memory_and_comes_back() {
        Timeline root = writing();
        fill(root, 20, 3);
        assertFilled(root, 20, 3);
        root.upkeep().unloadIfIdle();
        assertThat(root.history().journal().isLoaded()).as("was just used").isTrue();
        root.upkeep().unloadIfIdle();
        assertThat(root.history().journal().isLoaded()).isFalse();
        assertFilled(root, 20, 3);
    }

    @Test
    void a_deleted_timeline_stops_its_upkeep_and_leaves_nothing() {
        Timeline root = writing();
        fill(root, 20, 3);
        root.flush();
        service.delete(ROOT);
        assertThat(directory.path().resolve("timelines")).isEmptyDirectory();
        assertThatThrownBy(root::flush).isInstanceOf(NoSuchTimelineException.class);
        assertThat(directory.path().resolve("timelines")).isEmptyDirectory();
    }
}
