package dev.coppice.storage.wal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bytes only: the segments hold no records, but a long header each. */
class WalLayoutTest {
    private static final int SEGMENT = 1 << 20;
    private static final long BASE = 0x1000000;

    private final TestDirectory directory = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final Random random = new Random(7);
    private WalStore root = store("root", null, 0);

    @BeforeEach
    void write_the_root() throws IOException {
        for (int i = 0; i < 4; i++) {
            writeSegment("root/wal", BASE + (long) i * SEGMENT);
        }
    }

    @AfterEach
    void clean_up() {
        files.close();
        directory.close();
    }

    private WalStore store(String name, @org.jspecify.annotations.Nullable WalStore parent, long ancestorLsn) {
        Path home = directory.path().resolve(name);
        return new LocalWalStore(home.resolve("wal"), home.resolve("archive"), parent, ancestorLsn, files);
    }

    private byte[] writeSegment(String where, long lsn) throws IOException {
        byte[] content = new byte[SEGMENT];
        random.nextBytes(content);
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putInt(32, SEGMENT);
        Path home = Files.createDirectories(directory.path().resolve(where));
        Files.write(home.resolve(WalFormat.segmentName(lsn, SEGMENT)), content);
        return content;
    }

    private Path fill(WalStore parent, long redo, long end) throws IOException {
        Path target = Files.createDirectories(directory.path().resolve("target"));
        WalLayout.fill(target, parent, redo, end);
        return target;
    }

    private static byte[] bytes(WalStore store, long from, long to) {
        byte[] bytes = new byte[(int) (to - from)];
        assertThat(store.read(from, ByteBuffer.wrap(bytes))).isEqualTo(bytes.length);
        return bytes;
    }

    private void assertFilled(Path target, WalStore parent, long redo, long end) throws IOException {
        for (long start = WalFormat.segmentStart(redo, SEGMENT); start < end; start += SEGMENT) {
            byte[] content = Files.readAllBytes(target.resolve(WalFormat.segmentName(start, SEGMENT)));
            assertThat(content).hasSize(SEGMENT);
            int from = (int) (Math.max(redo, start) - start);
            int to = (int) (Math.min(end, start + SEGMENT) - start);
            assertThat(Arrays.copyOfRange(content, from, to)).isEqualTo(bytes(parent, start + from, start + to));
            int header = Math.min(WalFormat.PAGE_SIZE, to);
            assertThat(Arrays.copyOf(content, header)).isEqualTo(bytes(parent, start, start + header));
            assertThat(Arrays.copyOfRange(content, to, SEGMENT)).isEqualTo(new byte[SEGMENT - to]);
        }
        try (var names = Files.list(target)) {
            long expected = (end - WalFormat.segmentStart(redo, SEGMENT) + SEGMENT - 1) / SEGMENT;
            assertThat(names.count()).isEqualTo(expected);
        }
    }

    @Test
    void holds_the_wal_from_redo_to_the_end_and_zeroes_behind_it() throws IOException {
        for (long end : new long[] {1, 8, 8192, 8200, 500_000, SEGMENT - 8, SEGMENT, SEGMENT + 8, 2 * SEGMENT + 4096}) {
            for (long redo : new long[] {0, 40, 8192, 70_000, SEGMENT + 16_000}) {
                if (redo < end) {
                    assertFilled(fill(root, BASE + redo, BASE + end), root, BASE + redo, BASE + end);
                    dev.coppice.storage.io.DurableFiles.deleteRecursively(
                            directory.path().resolve("target"));
                }
            }
        }
    }

    @Test
    void a_complete_segment_of_one_ancestor_is_copied_never_shared() throws IOException {
        Path archive = Files.createDirectories(directory.path().resolve("root/archive"));
        String name = WalFormat.segmentName(BASE, SEGMENT);
        Files.move(directory.path().resolve("root/wal").resolve(name), archive.resolve(name));
        Path target = fill(root, BASE + 100, BASE + SEGMENT + 100);
        assertThat(Files.getAttribute(target.resolve(name), "unix:ino"))
                .isNotEqualTo(Files.getAttribute(archive.resolve(name), "unix:ino"));
        assertFilled(target, root, BASE + 100, BASE + SEGMENT + 100);
    }

    @Test
    void bytes_of_a_segment_that_two_timelines_share_come_from_each_ones_part() throws IOException {
        long fork = BASE + SEGMENT + 123_456;
        // The child's own file begins with bytes that must never be read: here they are other bytes altogether.
        byte[] own = writeSegment("child/wal", BASE + SEGMENT);
        byte[] next = writeSegment("child/wal", BASE + 2 * SEGMENT);
        WalStore child = store("child", root, fork);
        byte[] seen = bytes(child, BASE + SEGMENT, BASE + 3 * SEGMENT);
        assertThat(Arrays.copyOf(seen, 123_456)).isEqualTo(bytes(root, BASE + SEGMENT, fork));
        assertThat(Arrays.copyOfRange(seen, 123_456, SEGMENT)).isEqualTo(Arrays.copyOfRange(own, 123_456, SEGMENT));
        assertThat(Arrays.copyOfRange(seen, SEGMENT, 2 * SEGMENT)).isEqualTo(next);
        long end = BASE + 2 * SEGMENT + 40_000;
        assertFilled(fill(child, BASE + 9000, end), child, BASE + 9000, end);
    }
}
