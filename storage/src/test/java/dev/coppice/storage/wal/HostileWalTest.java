package dev.coppice.storage.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A program in a compute may put anything into the directories of its WAL. */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileWalTest {
    private static final int SEGMENT = 1 << 20;
    private static final long BASE = 0x1000000;

    private final TestDirectory directory = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final long seed = Long.getLong("coppice.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Path wal;
    private Path finished;
    private Path archive;
    private Path secret;
    private LocalWalStore store;

    @BeforeEach
    void make() throws IOException {
        wal = Files.createDirectory(directory.path().resolve("wal"));
        finished = Files.createDirectory(directory.path().resolve("wal-finished"));
        archive = Files.createDirectory(directory.path().resolve("wal-archive"));
        secret = Files.write(directory.path().resolve("secret"), content(1));
        store = new LocalWalStore(wal, archive, null, 0, files);
        Files.write(wal.resolve(name(3)), content(3));
    }

    @AfterEach
    void clean_up() {
        files.close();
        directory.close();
    }

    private static String name(int number) {
        return WalFormat.segmentName(BASE + (long) number * SEGMENT, SEGMENT);
    }

    private static byte[] content(int number) {
        byte[] content = new byte[SEGMENT];
        new Random(number).nextBytes(content);
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putInt(32, SEGMENT);
        return content;
    }

    @Test
    void a_finished_segment_is_collected_and_what_is_none_stays_outside_the_archive() throws Exception {
        Files.write(finished.resolve(name(0)), content(0));
        Files.createSymbolicLink(finished.resolve(name(1)), secret);
        Files.write(finished.resolve(name(2)), new byte[100]);
        Files.createDirectory(finished.resolve(name(4)));
        assertThat(new ProcessBuilder("mkfifo", finished.resolve(name(5)).toString())
                        .start()
                        .waitFor())
                .isZero();
        Files.writeString(finished.resolve("other"), "other");
        try (RandomAccessFile giant =
                new RandomAccessFile(finished.resolve(name(6)).toFile(), "rw")) {
            giant.setLength(1L << 42);
        }

        store.collectFinished();

        assertThat(archive.resolve(name(0))).hasBinaryContent(content(0));
        try (var names = Files.list(archive)) {
            assertThat(names).hasSize(1);
        }
        assertThat(secret).hasBinaryContent(content(1));
    }

    @Test
    void archived_history_is_not_replaced_by_a_segment_of_the_same_name() throws IOException {
        Files.write(archive.resolve(name(0)), content(0));
        Files.write(finished.resolve(name(0)), content(7));
        Files.write(wal.resolve(name(0)), content(8));
        ByteBuffer read = ByteBuffer.allocate(SEGMENT);
        assertThat(store.read(BASE, read)).isEqualTo(SEGMENT);
        assertThat(read.array()).isEqualTo(content(0));
        store.collectFinished();
        assertThat(archive.resolve(name(0))).hasBinaryContent(content(0));
        assertThat(finished.resolve(name(0))).doesNotExist();
    }

    @Test
    void a_link_or_a_fifo_in_the_place_of_a_live_segment_is_not_read_written_or_waited_for() throws Exception {
        Files.createSymbolicLink(wal.resolve(name(1)), secret);
        assertThat(new ProcessBuilder("mkfifo", wal.resolve(name(2)).toString())
                        .start()
                        .waitFor())
                .isZero();
        for (int number : List.of(1, 2)) {
            long at = BASE + (long) number * SEGMENT;
            assertThatThrownBy(() -> store.read(at, ByteBuffer.allocate(100))).isInstanceOf(StorageException.class);
            assertThatThrownBy(() -> store.erase(at, at + 100)).isInstanceOf(StorageException.class);
            assertThatThrownBy(() -> store.sync(at, at + 100)).isInstanceOf(StorageException.class);
        }
        assertThat(secret).hasBinaryContent(content(1));
        assertThat(store.size().live()).isPositive();
    }

    @Test
    void any_bytes_have_an_end_of_wal() throws IOException {
        for (int round = 0; round < 200; round++) {
            byte[] bytes = content(round);
            // Plausible headers of pages and records, with lengths of every kind.
            for (int page = 0; page < SEGMENT; page += 8192) {
                ByteBuffer header = ByteBuffer.wrap(bytes, page, 64).slice().order(ByteOrder.LITTLE_ENDIAN);
                header.putShort(0, (short) 0xD118).putShort(2, (short) (page == 0 ? 2 : random.nextInt(8)));
                header.putInt(4, 1).putLong(8, BASE + 3L * SEGMENT + page).putInt(16, random.nextInt());
                header.putInt(page == 0 ? 40 : 24, random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(70_000));
            }
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(32, SEGMENT);
            Files.write(wal.resolve(name(3)), bytes);
            files.forget(wal.resolve(name(3)));
            WalScanner scanner = new WalScanner(store, BASE + 3L * SEGMENT + 40, 0);
            int records = 0;
            while (scanner.next()) {
                assertThat(++records).as("-Dcoppice.seed=%s", seed).isLessThan(SEGMENT);
            }
        }
    }
}
