package dev.coppice.storage.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Bytes only: the segments hold no records, but a long header each. */
class WalArchiveTest {
    private static final int SEGMENT = 1 << 20;
    private static final long BASE = 0x1000000;
    private static final int COUNT = 4;

    private final TestDirectory directory = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final long seed = Long.getLong("coppice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Path live = directory.path().resolve("wal");
    private final Path archive = directory.path().resolve("wal-archive");
    private final LocalWalStore store = new LocalWalStore(live, archive, null, 0, files);
    private final byte[] wal = new byte[COUNT * SEGMENT];

    /** Three segments in the archive and one that Postgres still has. */
    WalArchiveTest() throws IOException {
        Files.createDirectories(live);
        Files.createDirectories(archive);
        for (int at = 0; at < wal.length; at += 64) {
            wal[at] = (byte) random.nextInt();
        }
        for (int i = 0; i < COUNT; i++) {
            ByteBuffer.wrap(wal).order(ByteOrder.LITTLE_ENDIAN).putInt(i * SEGMENT + 32, SEGMENT);
            Path where = i < COUNT - 1 ? archive : live;
            byte[] segment = java.util.Arrays.copyOfRange(wal, i * SEGMENT, (i + 1) * SEGMENT);
            Files.write(where.resolve(name(i)), segment);
        }
    }

    @AfterEach
    void clean_up() {
        files.close();
        directory.close();
    }

    private static String name(int segment) {
        return WalFormat.segmentName(BASE + (long) segment * SEGMENT, SEGMENT);
    }

    private static Instant always() {
        return Instant.now().plusSeconds(3600);
    }

    private byte[] bytes(WalStore from, long offset, int length) {
        byte[] bytes = new byte[length];
        assertThat(from.read(BASE + offset, ByteBuffer.wrap(bytes))).isEqualTo(length);
        return bytes;
    }

    private void assertEverythingReads(WalStore from) {
        assertThat(bytes(from, 0, wal.length)).isEqualTo(wal);
        for (int i = 0; i < 200; i++) {
            int offset = random.nextInt(wal.length - 1);
            int length = 1 + random.nextInt(Math.min(300_000, wal.length - offset));
            assertThat(bytes(from, offset, length))
                    .as("-Dcoppice.seed=%d", seed)
                    .isEqualTo(java.util.Arrays.copyOfRange(wal, offset, offset + length));
        }
    }

    private List<String> names() throws IOException {
        try (var names = Files.list(archive)) {
            return names.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void compressed_segments_read_like_plain_ones_and_take_less() throws IOException {
        long before = store.size().archive();
        WalStore.Compression first = store.compressCold(always(), 2);
        assertThat(first.segments()).isEqualTo(2);
        assertThat(names()).containsExactly(name(0) + ".zst", name(1) + ".zst", name(2));
        assertEverythingReads(store);
        WalStore.Compression rest = store.compressCold(always(), 2);
        assertThat(rest.segments()).isEqualTo(1);
        assertEverythingReads(store);
        WalSize size = store.size();
        assertThat(size.archived()).isZero();
        assertThat(size.live()).isEqualTo(SEGMENT);
        assertThat(before).isEqualTo(3L * SEGMENT);
        assertThat(size.compressed()).isLessThan(before / 2);
        assertThat(first.bytesAfter() + rest.bytesAfter()).isEqualTo(size.compressed());
        assertThat(store.compressCold(always(), 2).segments()).isZero();
    }

    @Test
    void the_segment_size_is_known_when_every_segment_is_compressed() throws IOException {
        Files.delete(live.resolve(name(COUNT - 1)));
        store.compressCold(always(), COUNT);
        LocalWalStore reopened = new LocalWalStore(live, archive, null, 0, files);
        assertThat(reopened.segmentSize()).isEqualTo(SEGMENT);
    }

    @Test
    void recently_written_segments_and_those_with_another_name_stay_plain() throws IOException {
        assertThat(store.compressCold(Instant.now().minusSeconds(3600), COUNT).segments())
                .isZero();
        Files.createLink(directory.path().resolve("linked"), archive.resolve(name(1)));
        assertThat(store.compressCold(always(), COUNT).segments()).isEqualTo(2);
        assertThat(names()).containsExactly(name(0) + ".zst", name(1), name(2) + ".zst");
    }

    @Test
    void what_a_crash_in_the_middle_leaves_is_read_right_and_finished() throws IOException {
        store.compressCold(always(), 1);
        // Died before the plain one was removed, and while the next was written.
        byte[] first = java.util.Arrays.copyOf(wal, SEGMENT);
        Files.write(archive.resolve(name(0)), first);
        Files.write(archive.resolve(name(1) + ".zst.new"), new byte[1000]);
        assertEverythingReads(store);
        store.compressCold(always(), COUNT);
        assertThat(names()).containsExactly(name(0) + ".zst", name(1) + ".zst", name(2) + ".zst");
        assertEverythingReads(store);
    }

    @Test
    void readers_never_notice_that_a_segment_is_being_compressed() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        List<Throwable> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
        List<Thread> readers = new java.util.ArrayList<>();
        for (int r = 0; r < 3; r++) {
            Random own = new Random(random.nextLong());
            readers.add(Thread.ofPlatform().start(() -> {
                try {
                    while (!done.get()) {
                        int offset = own.nextInt(wal.length - 9000);
                        assertThat(bytes(store, offset, 9000))
                                .isEqualTo(java.util.Arrays.copyOfRange(wal, offset, offset + 9000));
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            }));
        }
        for (int round = 0; round < 15; round++) {
            store.compressCold(always(), COUNT);
            for (int i = 0; i < COUNT - 1; i++) {
                // Erasing nothing gives the plain form back.
                store.erase(BASE + (long) i * SEGMENT + 1, BASE + (long) i * SEGMENT + 2);
                wal[i * SEGMENT + 1] = 0;
            }
        }
        done.set(true);
        for (Thread reader : readers) {
            reader.join();
        }
        assertThat(failures).as("-Dcoppice.seed=%d", seed).isEmpty();
    }

    @Test
    void erasing_reaches_into_a_compressed_segment() throws IOException {
        store.compressCold(always(), COUNT);
        int from = 2 * SEGMENT - 70_000;
        store.erase(BASE + from, BASE + from + 200_000);
        java.util.Arrays.fill(wal, from, from + 200_000, (byte) 0);
        assertThat(names()).containsExactly(name(0) + ".zst", name(1), name(2));
        assertEverythingReads(store);
        store.sync(BASE, BASE + wal.length);
    }

    @Test
    void a_compressed_segment_is_copied_into_the_wal_directory_of_a_branch() throws IOException {
        store.compressCold(always(), COUNT);
        Path target = Files.createDirectories(directory.path().resolve("target"));
        WalLayout.fill(target, store, BASE + 5000, BASE + 2L * SEGMENT + 9000);
        byte[] second = Files.readAllBytes(target.resolve(name(1)));
        assertThat(second).isEqualTo(java.util.Arrays.copyOfRange(wal, SEGMENT, 2 * SEGMENT));
    }

    @Test
    void segments_that_nobody_needs_go_and_their_space_is_counted() throws IOException {
        store.compressCold(always(), 1);
        long compressed = store.size().compressed();
        Lsn middle = new Lsn(BASE + SEGMENT + 5);
        long freed = store.deleteOutside(
                List.of(new LsnRange(middle, middle), new LsnRange(middle, new Lsn(BASE + SEGMENT + 6))));
        assertThat(names()).containsExactly(name(1));
        assertThat(freed).isEqualTo(SEGMENT + compressed);
        assertThat(store.deleteOutside(List.of(new LsnRange(middle, LsnRange.UNBOUNDED))))
                .isZero();
        assertThat(Files.exists(live.resolve(name(COUNT - 1)))).isTrue();
        assertThat(store.deleteOutside(List.of())).isEqualTo(SEGMENT);
        assertThat(names()).isEmpty();
        assertThat(bytes(store, (COUNT - 1) * SEGMENT, SEGMENT)).hasSize(SEGMENT);
    }

    @Test
    void a_range_that_ends_at_a_segment_does_not_need_it() throws IOException {
        store.deleteOutside(List.of(new LsnRange(new Lsn(BASE), new Lsn(BASE + SEGMENT))));
        assertThat(names()).containsExactly(name(0));
    }

    @Test
    void an_ancestors_segments_that_a_branch_archived_again_are_deleted() throws IOException {
        Path childArchive = Files.createDirectories(directory.path().resolve("child/wal-archive"));
        for (int i = 0; i < 2; i++) {
            Files.createLink(childArchive.resolve(name(i)), archive.resolve(name(i)));
        }
        LocalWalStore child = new LocalWalStore(
                directory.path().resolve("child/wal"), childArchive, store, BASE + SEGMENT + 100, files);
        assertThat(child.size().archive()).isEqualTo(SEGMENT);
        assertThat(child.deleteOutside(List.of(new LsnRange(new Lsn(BASE), LsnRange.UNBOUNDED))))
                .isZero();
        assertThat(Files.exists(childArchive.resolve(name(0)))).isFalse();
        assertThat(Files.exists(childArchive.resolve(name(1)))).isTrue();
        assertThat(names()).hasSize(3);
    }

    @Test
    void a_flipped_bit_or_a_cut_anywhere_is_an_error_and_never_other_wal() throws IOException {
        store.compressCold(always(), 1);
        Path file = archive.resolve(name(0) + ".zst");
        byte[] right = Files.readAllBytes(file);
        for (int i = 0; i < 400; i++) {
            int bit = random.nextInt(right.length * 8);
            byte[] wrong = right.clone();
            wrong[bit / 8] ^= (byte) (1 << (bit % 8));
            check(file, wrong, "bit " + bit);
        }
        for (int i = 0; i < 100; i++) {
            int length = random.nextInt(right.length);
            check(file, java.util.Arrays.copyOf(right, length), "cut to " + length);
        }
        Files.write(file, right);
        files.forget(file);
        assertEverythingReads(store);
    }

    private void check(Path file, byte[] content, String what) throws IOException {
        Files.write(file, content);
        files.forget(file);
        byte[] found = new byte[SEGMENT];
        try {
            store.read(BASE, ByteBuffer.wrap(found));
        } catch (ChecksumMismatchException e) {
            assertThat(e).hasMessageContaining(file.toString());
            return;
        }
        // The size in the header of the skippable frame is for the zstd command only.
        assertThat(found).as("-Dcoppice.seed=%d %s", seed, what).isEqualTo(java.util.Arrays.copyOf(wal, SEGMENT));
    }

    @Test
    void the_zstd_command_could_restore_a_segment() throws IOException {
        store.compressCold(always(), 1);
        byte[] file = Files.readAllBytes(archive.resolve(name(0) + ".zst"));
        try (var in = new com.github.luben.zstd.ZstdInputStream(new java.io.ByteArrayInputStream(file))) {
            assertThat(in.readAllBytes()).isEqualTo(java.util.Arrays.copyOf(wal, SEGMENT));
        }
    }

    @Test
    void a_segment_of_the_wrong_length_stays_as_it_is() throws IOException {
        Files.write(archive.resolve(name(0)), new byte[5000]);
        store.compressCold(always(), COUNT);
        assertThat(names()).containsExactly(name(0), name(1) + ".zst", name(2) + ".zst");
        assertThatThrownBy(() -> CompressedSegment.write(archive.resolve(name(0)), SEGMENT, archive.resolve("x")))
                .hasMessageContaining("5000");
    }
}
