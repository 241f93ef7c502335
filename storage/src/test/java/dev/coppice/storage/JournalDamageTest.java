package dev.coppice.storage;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.verify.Finding;
import dev.coppice.storage.verify.Progress;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A byte of an entry that was durable changes while the journal is in no layer: an error for who reads it, for ever. */
class JournalDamageTest {
    private static final TimelineId ROOT = new TimelineId("root");
    private static final String TABLE = "base/1/100";
    private static final String OTHER = "base/1/200";
    private static final String CHANGED = "base/1/300";
    private static final String REMOVED = "base/1/400";

    private final TestDirectory directory = new TestDirectory();
    private PageService service = PageService.open(directory.path().resolve("timelines"));
    private Timeline root = service.createRoot(ROOT);
    private Path segment = directory.path();

    /** Where the entry of a kind begins. */
    private final Map<EntryType, Long> positions = new LinkedHashMap<>();

    @BeforeEach
    void write() throws IOException {
        root.beginEpoch(RealPostgres.owner());
        Journaling journal = Journaling.to(root);
        segment = journal.segment();
        journal.append(EntryType.MKDIR, "base", 0, 0);
        note(EntryType.MKDIR);
        journal.append(EntryType.MKDIR, "base/1", 0, 0);
        journal.append(EntryType.MKDIR, "gone", 0, 0);
        for (String path : List.of(TABLE, OTHER, CHANGED, REMOVED)) {
            for (int block = 0; block < 4; block++) {
                journal.page(path, block, block(1));
            }
        }
        note(EntryType.PAGE);
        journal.page(TABLE, 2, block(2));
        note(EntryType.ZERO);
        journal.append(EntryType.ZERO, TABLE, 3L * Timeline.BLOCK_SIZE, Timeline.BLOCK_SIZE);
        note(EntryType.PUT);
        journal.put("whole", new byte[] {1, 2, 3});
        note(EntryType.TRUNCATE);
        journal.append(EntryType.TRUNCATE, CHANGED, 2L * Timeline.BLOCK_SIZE, 0);
        note(EntryType.EXTEND);
        journal.append(EntryType.EXTEND, CHANGED, 9L * Timeline.BLOCK_SIZE, 0);
        note(EntryType.CREATE);
        journal.append(EntryType.CREATE, "made", 0, 0);
        note(EntryType.UNLINK);
        journal.append(EntryType.UNLINK, REMOVED, 0, 0);
        note(EntryType.RMDIR);
        journal.append(EntryType.RMDIR, "gone", 0, 0);
        journal.page(OTHER, 4, block(3));
        root.endEpoch();
    }

    @AfterEach
    void clean_up() {
        service.close();
        directory.close();
    }

    private void note(EntryType type) throws IOException {
        positions.put(type, Files.size(segment));
    }

    private void reopen() {
        service.close();
        service = PageService.open(directory.path().resolve("timelines"));
        root = service.timeline(ROOT);
    }

    private static byte[] block(int value) {
        byte[] bytes = new byte[Timeline.BLOCK_SIZE];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private void flip(long at, int bits) throws IOException {
        service.close();
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            file.seek(at);
            int old = file.read();
            file.seek(at);
            file.write(old ^ bits);
        }
        reopen();
    }

    private void read(String path, long block) {
        root.readPages(path, block, 1, new PageConsumer() {
            @Override
            public void zero(long number) {}

            @Override
            public void page(long number, long stamp, ByteBuffer page) {}
        });
    }

    private void refuses(ThrowingCallable read) {
        assertThatThrownBy(read)
                .isInstanceOf(ChecksumMismatchException.class)
                .hasMessageContaining("was durable and is damaged");
    }

    private List<String> errors() {
        return service.verify(ROOT, Progress.NONE).findings().stream()
                .filter(finding -> finding.severity() == Finding.Severity.ERROR)
                .map(Finding::toString)
                .toList();
    }

    /** What must be refused when the entry of a kind is lost. */
    private void refusesWhatIsLost(EntryType type) {
        switch (type) {
            case PAGE -> refuses(() -> read(TABLE, 2));
            case ZERO -> refuses(() -> read(TABLE, 3));
            case PUT -> refuses(() -> root.readFile("whole"));
            case TRUNCATE, EXTEND -> refuses(() -> root.stat(CHANGED));
            case UNLINK -> refuses(() -> root.stat(REMOVED));
            case CREATE -> refuses(() -> root.stat("made"));
            case MKDIR -> refuses(() -> root.list("base"));
            case RMDIR -> refuses(() -> root.stat("gone"));
            case FENCE -> throw new IllegalArgumentException();
        }
    }

    private void readsTheRest() {
        read(TABLE, 0);
        for (long block = 0; block < 5; block++) {
            read(OTHER, block);
        }
        assertThat(root.stat(OTHER)).isEqualTo(FileStatus.file(5L * Timeline.BLOCK_SIZE));
    }

    @ParameterizedTest
    @EnumSource(names = "FENCE", mode = EnumSource.Mode.EXCLUDE)
    void damage_of_each_kind_of_entry_is_an_error_for_its_readers_through_restart_flush_and_merge(EntryType type)
            throws Exception {
        long position = requireNonNull(positions.get(type));
        // The type, a path's byte, a checksum: what stood there can still be told. Data, where there is some.
        List<Long> places =
                new ArrayList<>(List.of(position, position + 5, position + 8, position + 45, position + 49));
        if (type == EntryType.PAGE) {
            places.add(position + 48 + TABLE.length() + 4000);
        }
        for (long place : places) {
            flip(place, 0x20);
            refusesWhatIsLost(type);
            readsTheRest();
            assertThat(errors())
                    .as("a flip at %d of %s", place - position, type)
                    .isNotEmpty();
            flip(place, 0x20);
            assertThat(errors()).isEmpty();
        }
        flip(places.getLast(), 0x20);
        refusesWhatIsLost(type);
        root.flush();
        refusesWhatIsLost(type);
        readsTheRest();
        service.compact(ROOT);
        reopen();
        refusesWhatIsLost(type);
        readsTheRest();
        assertThat(errors()).isNotEmpty();
        root.beginEpoch(RealPostgres.owner());
        Journaling.to(root).page(OTHER, 0, block(7));
        root.endEpoch();
        root.flush();
        service.compact(ROOT);
        reopen();
        refusesWhatIsLost(type);
        readsTheRest();
        assertThat(errors()).isNotEmpty();
    }

    @Test
    void what_was_lost_is_there_again_when_it_is_overwritten() throws Exception {
        flip(requireNonNull(positions.get(EntryType.PAGE)) + 200, 1);
        refuses(() -> read(TABLE, 2));
        root.flush();
        root.beginEpoch(RealPostgres.owner());
        Journaling.to(root).page(TABLE, 2, block(9));
        assertThat(root.stat(TABLE).size()).isEqualTo(4L * Timeline.BLOCK_SIZE);
        assertThat(page(TABLE, 2)).isEqualTo(block(9));
        root.endEpoch();
        root.flush();
        service.compact(ROOT);
        reopen();
        assertThat(page(TABLE, 2)).isEqualTo(block(9));
    }

    @Test
    void bytes_of_which_nothing_can_be_told_are_an_error_for_every_reader_of_what_is_older() throws Exception {
        long position = requireNonNull(positions.get(EntryType.PAGE));
        service.close();
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            file.seek(position);
            file.write(new byte[500]);
        }
        reopen();
        refuses(() -> read(TABLE, 2));
        refuses(() -> root.stat(OTHER));
        refuses(() -> root.list("base"));
        root.flush();
        reopen();
        refuses(() -> read(TABLE, 2));
        assertThat(errors()).isNotEmpty();
    }

    /** Which points have what is said by fences: the head is whole without one, the past is not. */
    @Test
    void a_damaged_fence_is_an_error_for_points_of_the_past_alone() throws Exception {
        long end = Files.size(segment);
        root.beginEpoch(RealPostgres.owner());
        root.endEpoch();
        flip(end - 48 + 20, 1);
        read(TABLE, 2);
        readsTheRest();
        assertThat(errors()).isNotEmpty();
        root.flush();
        reopen();
        read(TABLE, 2);
        assertThat(errors()).isNotEmpty();
    }

    @Test
    void a_segment_that_is_cut_off_or_zeroed_behind_a_place_is_no_torn_tail() throws Exception {
        root.beginEpoch(RealPostgres.owner());
        Journaling.to(root).page(OTHER, 1, block(6));
        root.endEpoch();
        byte[] whole = Files.readAllBytes(segment);
        long position = requireNonNull(positions.get(EntryType.PAGE));
        for (byte[] damaged : List.of(
                Arrays.copyOf(whole, (int) position),
                Arrays.copyOf(whole, (int) position + 1000),
                Arrays.copyOf(Arrays.copyOf(whole, (int) position), whole.length))) {
            service.close();
            Files.write(segment, damaged);
            reopen();
            refuses(() -> read(TABLE, 2));
            refuses(() -> root.stat(CHANGED));
            assertThat(errors()).isNotEmpty();
        }
        service.close();
        Files.write(segment, whole);
        reopen();
        read(TABLE, 2);
        assertThat(errors()).isEmpty();
    }

    @Test
    void a_missing_segment_is_an_error_for_every_reader() throws Exception {
        root.beginEpoch(RealPostgres.owner());
        Journaling.to(root).page(OTHER, 1, block(6));
        root.endEpoch();
        service.close();
        Path away = directory.path().resolve("away");
        Files.move(segment, away);
        reopen();
        assertThatThrownBy(() -> read(OTHER, 1)).hasMessageContaining("lost its segment of epoch 1");
        service.close();
        Files.move(away, segment);
        reopen();
        assertThat(page(OTHER, 1)).isEqualTo(block(6));
    }

    /** 48 bytes that stand for 131,072 blocks in memory. */
    @Test
    void more_zeroes_than_postgres_writes_are_refused() {
        root.beginEpoch(RealPostgres.owner());
        Journaling journal = Journaling.to(root);
        for (int i = 0; i < 15; i++) {
            journal.append(EntryType.ZERO, OTHER, 0, 1L << 30);
        }
        read(OTHER, 1);
        for (int i = 0; i < 2; i++) {
            journal.append(EntryType.ZERO, OTHER, 0, 1L << 30);
        }
        assertThatThrownBy(() -> root.stat(OTHER)).hasMessageContaining("blocks of zeroes");
    }

    /** What a killed process leaves was never acknowledged. */
    @Test
    void a_torn_entry_is_dropped_as_before() throws Exception {
        root.beginEpoch(RealPostgres.owner());
        Journaling journal = Journaling.to(root);
        journal.tornPage(TABLE, 1, block(5), 3000);
        journal.page(OTHER, 1, block(6));
        root.endEpoch();
        reopen();
        assertThat(page(TABLE, 1)).isEqualTo(block(1));
        assertThat(page(OTHER, 1)).isEqualTo(block(6));
        root.flush();
        assertThat(page(TABLE, 1)).isEqualTo(block(1));
        assertThat(errors()).isEmpty();
    }

    /** A power cut before anything was synced: nothing proves that the bytes were ever there. */
    @Test
    void bytes_that_were_never_synced_are_dropped_as_before() throws Exception {
        root.beginEpoch(RealPostgres.owner());
        Journaling journal = Journaling.to(root);
        long position = Files.size(journal.segment());
        journal.page(TABLE, 1, block(5));
        journal.page(OTHER, 1, block(6));
        segment = journal.segment();
        flip(position + 100, 1);
        root.endEpoch();
        reopen();
        assertThat(page(TABLE, 1)).isEqualTo(block(1));
        assertThat(page(OTHER, 1)).isEqualTo(block(6));
    }

    @Test
    void in_an_epoch_that_did_not_end_the_control_file_proves_what_was_synced_before_it() throws Exception {
        root.beginEpoch(RealPostgres.owner());
        Journaling journal = Journaling.to(root);
        long position = Files.size(journal.segment());
        journal.page(TABLE, 1, block(5));
        journal.page("global/pg_control", 0, block(1));
        journal.page("global/pg_control", 0, block(2));
        segment = journal.segment();
        flip(position + 100, 1);
        refuses(() -> read(TABLE, 1));
        readsTheRest();
    }

    private byte[] page(String path, long block) {
        byte[] bytes = new byte[Timeline.BLOCK_SIZE];
        root.readPages(path, block, 1, new PageConsumer() {
            @Override
            public void zero(long number) {}

            @Override
            public void page(long number, long stamp, ByteBuffer page) {
                page.get(bytes);
            }
        });
        return bytes;
    }
}
