package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.EpochRunningException;
import dev.coppice.storage.fault.NoSuchFileInTimelineException;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.fault.TimelineExistsException;
import dev.coppice.storage.fault.TimelineHasChildrenException;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.timeline.Epoch;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PageServiceTest {
    private static final TimelineId ROOT = new TimelineId("root");
    private static final TimelineId CHILD = new TimelineId("child");
    private static final int BLOCK = Timeline.BLOCK_SIZE;

    private final TestDirectory directory = new TestDirectory();
    private PageService service = PageService.open(directory.path().resolve("timelines"));

    @AfterEach
    void clean_up() {
        service.close();
        directory.close();
    }

    private void reopen() {
        service.close();
        service = PageService.open(directory.path().resolve("timelines"));
    }

    private Timeline writing(TimelineId id) {
        Timeline timeline = service.createRoot(id);
        timeline.beginEpoch(RealPostgres.owner());
        return timeline;
    }

    private static byte[] block(int value) {
        byte[] bytes = new byte[BLOCK];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void timelines_and_their_ancestry_survive_a_restart() {
        Timeline root = service.createRoot(ROOT);
        BranchPoint point = new BranchPoint(ROOT, Lsn.parse("1/2345678"));
        Timeline child = service.createBranch(CHILD, point);
        Timeline grandchild =
                service.createBranch(new TimelineId("grandchild"), new BranchPoint(CHILD, Lsn.parse("1/3")));
        reopen();
        assertThat(service.timelines()).containsExactlyInAnyOrder(ROOT, CHILD, grandchild.id());
        assertThat(service.timeline(ROOT).ancestor()).isEmpty();
        assertThat(service.timeline(CHILD).ancestor()).contains(point);
        assertThat(service.timeline(CHILD).createdAt()).isEqualTo(child.createdAt());
        assertThat(service.timeline(ROOT).createdAt()).isEqualTo(root.createdAt());
        assertThat(service.children(ROOT)).containsExactly(CHILD);
        assertThat(service.timeline(grandchild.id()).endOfWal()).isEqualTo(Lsn.parse("1/3"));
    }

    @Test
    void a_timeline_with_children_or_a_writer_is_not_deleted() throws Exception {
        Timeline root = writing(ROOT);
        service.createBranch(CHILD, root.head());
        assertThatThrownBy(() -> service.delete(ROOT))
                .isInstanceOf(TimelineHasChildrenException.class)
                .hasMessageContaining("child");
        service.delete(CHILD);
        assertThat(service.exists(CHILD)).isFalse();
        try (LockHolder compute = new LockHolder(root.layout().writerLock())) {
            assertThatThrownBy(() -> service.delete(ROOT)).isInstanceOf(EpochRunningException.class);
        }
        service.delete(ROOT);
        assertThat(root.layout().directory()).doesNotExist();
        assertThatThrownBy(() -> service.timeline(ROOT)).isInstanceOf(NoSuchTimelineException.class);
    }

    @Test
    void ids_are_given_once_and_a_branch_needs_its_parent() {
        service.createRoot(ROOT);
        assertThatThrownBy(() -> service.createRoot(ROOT)).isInstanceOf(TimelineExistsException.class);
        assertThatThrownBy(() -> service.createBranch(CHILD, new BranchPoint(new TimelineId("none"), Lsn.ZERO)))
                .isInstanceOf(NoSuchTimelineException.class);
        assertThat(service.timelines()).containsExactly(ROOT);
    }

    @Test
    void what_a_crash_left_half_made_or_half_deleted_is_gone_after_a_restart() throws Exception {
        Path root = directory.path().resolve("timelines");
        Files.createDirectories(root.resolve(".new-half/journal"));
        Files.createDirectories(root.resolve(".deleted-half"));
        Files.writeString(root.resolve(".deleted-half/timeline.json"), "{}");
        reopen();
        assertThat(service.timelines()).isEmpty();
        assertThat(root).isEmptyDirectory();
    }

    @Test
    void a_timeline_with_damaged_metadata_shows_nothing_and_stops_no_other_one() throws Exception {
        TimelineId other = new TimelineId("other");
        Timeline otherOne = writing(other);
        Journaling.to(otherOne).put("f", new byte[] {1});
        otherOne.endEpoch();
        Timeline root = writing(ROOT);
        Journaling.to(root).put("f", new byte[] {2});
        root.endEpoch();
        service.createBranch(CHILD, new BranchPoint(ROOT, new Lsn(100)));
        Path file = root.layout().directory().resolve("timeline.json");
        String whole = Files.readString(file);
        for (String damaged :
                List.of("{\"version\":1,\"id\":\"other\"}", "", "{", whole.substring(0, 30), "\0".repeat(90))) {
            Files.writeString(file, damaged);
            reopen();
            assertThat(service.timelines()).containsExactlyInAnyOrder(ROOT, CHILD, other);
            assertThat(service.timeline(other).readFile("f")).contains(new byte[] {1});
            for (TimelineId lost : List.of(ROOT, CHILD)) {
                Timeline timeline = service.timeline(lost);
                assertThatThrownBy(() -> timeline.readFile("f"))
                        .isInstanceOf(StorageException.class)
                        .hasMessageContaining(file.toString())
                        .hasMessageContaining("Restore it from a backup");
                assertThatThrownBy(() -> timeline.list("")).isInstanceOf(StorageException.class);
                assertThatThrownBy(() -> timeline.beginEpoch(RealPostgres.owner()))
                        .isInstanceOf(StorageException.class);
            }
            // It may read from any other, so nothing goes until that is known.
            assertThatThrownBy(() -> service.delete(other)).isInstanceOf(StorageException.class);
            service.collectGarbage(other);
            service.compact(other);
        }
        Files.delete(file);
        reopen();
        assertThatThrownBy(() -> service.timeline(ROOT).stat("f")).hasMessageContaining(file.toString());
        Files.writeString(file, whole);
        reopen();
        assertThat(service.timeline(CHILD).readFile("f")).contains(new byte[] {2});
        service.delete(other);
    }

    @Test
    void a_timeline_without_its_parent_shows_nothing_and_can_be_deleted() throws Exception {
        Timeline root = writing(ROOT);
        Journaling.to(root).put("f", new byte[] {2});
        root.endEpoch();
        service.createBranch(CHILD, new BranchPoint(ROOT, new Lsn(100)));
        TimelineId grandchild = new TimelineId("grandchild");
        service.createBranch(grandchild, new BranchPoint(CHILD, new Lsn(100)));
        Path away = directory.path().resolve("away");
        Files.move(root.layout().directory(), away);
        reopen();
        assertThatThrownBy(() -> service.timeline(CHILD).readFile("f")).hasMessageContaining("begins on root");
        assertThatThrownBy(() -> service.timeline(grandchild).readFile("f")).hasMessageContaining("begins on root");
        Files.move(away, root.layout().directory());
        reopen();
        assertThat(service.timeline(grandchild).readFile("f")).contains(new byte[] {2});
        Files.move(root.layout().directory(), away);
        reopen();
        service.delete(grandchild);
        service.delete(CHILD);
        assertThat(service.timelines()).isEmpty();
    }

    @Test
    void only_one_writer_at_a_time() throws Exception {
        Timeline root = writing(ROOT);
        try (LockHolder compute = new LockHolder(root.layout().writerLock())) {
            assertThat(root.writerRunning()).isTrue();
            assertThatThrownBy(() -> root.beginEpoch(RealPostgres.owner())).isInstanceOf(EpochRunningException.class);
            assertThatThrownBy(root::endEpoch).isInstanceOf(EpochRunningException.class);
            assertThat(root.epochOpen()).isTrue();
        }
        assertThat(root.writerRunning()).isFalse();
        assertThat(root.beginEpoch(RealPostgres.owner()).number()).isEqualTo(2);
    }

    @Test
    void epochs_open_and_end_durably_and_ending_twice_is_fine() {
        Timeline root = service.createRoot(ROOT);
        assertThat(root.epochOpen()).isFalse();
        assertThat(root.currentEpoch()).isZero();
        Epoch first = root.beginEpoch(RealPostgres.owner());
        assertThat(first.journal()).isRegularFile();
        reopen();
        Timeline again = service.timeline(ROOT);
        assertThat(again.epochOpen()).isTrue();
        assertThat(again.currentEpoch()).isEqualTo(1);
        again.head();
        assertThat(again.epochOpen()).as("a branch point does not end it").isTrue();
        again.endEpoch();
        again.endEpoch();
        assertThat(again.epochOpen()).isFalse();
        reopen();
        assertThat(service.timeline(ROOT).epochOpen()).isFalse();
    }

    @Test
    void a_damaged_page_is_never_served() throws Exception {
        Timeline root = writing(ROOT);
        Journaling journal = Journaling.to(root);
        journal.page("base/5/1", 0, block(1));
        journal.page("base/5/1", 1, block(2));
        journal.put("PG_VERSION", "18\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(root.readFile("base/5/1").orElseThrow()).hasSize(2 * BLOCK);
        try (RandomAccessFile file = new RandomAccessFile(journal.segment().toFile(), "rw")) {
            file.seek(64 + 48 + 8 + 4000);
            file.write(99);
            file.seek(file.length() - 1);
            file.write(99);
        }
        List<Long> served = new ArrayList<>();
        PageConsumer consumer = new PageConsumer() {
            @Override
            public void zero(long block) {
                served.add(block);
            }

            @Override
            public void page(long block, long stamp, ByteBuffer page) {
                served.add(block);
            }
        };
        assertThatThrownBy(() -> root.readPages("base/5/1", 0, 1, consumer))
                .isInstanceOf(ChecksumMismatchException.class)
                .hasMessageContaining("base/5/1");
        assertThatThrownBy(() -> root.readFile("PG_VERSION")).isInstanceOf(ChecksumMismatchException.class);
        assertThat(served).isEmpty();
        root.readPages("base/5/1", 1, 1, consumer);
        assertThat(served).containsExactly(1L);
    }

    @Test
    void a_torn_version_is_absent_and_the_one_before_is_served() {
        Timeline root = writing(ROOT);
        Journaling journal = Journaling.to(root);
        journal.page("base/5/1", 0, block(1));
        journal.tornPage("base/5/1", 0, block(2), 5000);
        assertThat(root.readFile("base/5/1").orElseThrow()).isEqualTo(block(1));
        root.endEpoch();
        assertThat(root.readFile("base/5/1").orElseThrow()).isEqualTo(block(1));
        root.beginEpoch(RealPostgres.owner());
        Journaling.to(root).page("base/5/1", 0, block(3));
        reopen();
        assertThat(service.timeline(ROOT).readFile("base/5/1").orElseThrow()).isEqualTo(block(3));
    }

    @Test
    void pages_of_a_missing_file_are_refused_and_beyond_the_end_zero() {
        Timeline root = writing(ROOT);
        PageConsumer nothing = new PageConsumer() {
            @Override
            public void zero(long block) {}

            @Override
            public void page(long block, long stamp, ByteBuffer page) {}
        };
        assertThatThrownBy(() -> root.readPages("base/5/1", 0, 1, nothing))
                .isInstanceOf(NoSuchFileInTimelineException.class)
                .hasMessageContaining("base/5/1");
        Journaling.to(root).append(EntryType.CREATE, "base/5/1", 0, 0);
        root.readPages("base/5/1", 0, 128, nothing);
    }

    @Test
    void many_readers_see_each_block_at_one_version_or_a_later_one_while_a_writer_appends() throws Exception {
        Timeline root = writing(ROOT);
        Journaling journal = Journaling.to(root);
        int blocks = 64;
        for (int b = 0; b < blocks; b++) {
            journal.page("base/5/1", b, block(1));
        }
        root.stat("base/5/1");
        AtomicBoolean done = new AtomicBoolean();
        List<Thread> readers = new ArrayList<>();
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int r = 0; r < 4; r++) {
            readers.add(Thread.ofVirtual()
                    .uncaughtExceptionHandler((thread, e) -> failures.add(e))
                    .start(() -> readUntil(done, root, blocks)));
        }
        for (int version = 2; version <= 12; version++) {
            for (int b = 0; b < blocks; b++) {
                journal.page("base/5/1", b, block(version));
            }
            root.stat("base/5/1");
        }
        done.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(failures).isEmpty();
        assertThat(root.readFile("base/5/1").orElseThrow()[BLOCK * blocks - 1]).isEqualTo((byte) 12);
    }

    private static void readUntil(AtomicBoolean done, Timeline root, int blocks) {
        int[] newest = new int[blocks];
        Random random = new Random(1);
        while (!done.get()) {
            int first = random.nextInt(blocks);
            root.readPages("base/5/1", first, blocks - first, new PageConsumer() {
                @Override
                public void zero(long block) {
                    throw new AssertionError("block " + block + " was written");
                }

                @Override
                public void page(long block, long stamp, ByteBuffer page) {
                    int version = page.get(0);
                    if (version < newest[(int) block] || page.get(BLOCK - 1) != version) {
                        throw new AssertionError("block " + block + " went back to " + version);
                    }
                    newest[(int) block] = version;
                }
            });
        }
    }

    @Test
    void an_interrupted_reader_does_not_disturb_the_others() throws Exception {
        Timeline root = writing(ROOT);
        Journaling.to(root).page("base/5/1", 0, block(1));
        root.stat("base/5/1");
        Thread interrupted = Thread.ofPlatform().start(() -> {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> root.readFile("base/5/1")).isInstanceOf(StorageException.class);
        });
        interrupted.join();
        reopen();
        Timeline again = service.timeline(ROOT);
        List<Throwable> thrown = new ArrayList<>();
        Thread first = Thread.ofPlatform().start(() -> {
            Thread.currentThread().interrupt();
            try {
                again.stat("base/5/1");
            } catch (StorageException e) {
                thrown.add(e);
            }
        });
        first.join();
        assertThat(thrown).hasSize(1);
        assertThat(again.readFile("base/5/1").orElseThrow()).isEqualTo(block(1));
        assertThat(root.readFile("base/5/1").orElseThrow()).isEqualTo(block(1));
    }
}
