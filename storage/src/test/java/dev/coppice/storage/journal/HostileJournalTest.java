package dev.coppice.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A program in a compute may write anything into its journal, and make it as long as it likes. */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileJournalTest {
    private static final int ROUNDS = 300;

    private final TestDirectory directory = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final long seed = Long.getLong("coppice.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @AfterEach
    void clean_up() {
        files.close();
        directory.close();
    }

    private JournalSegment segment() {
        return JournalSegment.create(directory.path(), new SegmentHeader(1, 100, new TimelineId("main")), files);
    }

    @Test
    void a_journal_made_long_by_a_hole_is_refused_soon() throws IOException {
        JournalSegment segment = segment();
        segment.append(entry(EntryType.CREATE, "base/5/1", 0, 0, 0));
        try (RandomAccessFile file = new RandomAccessFile(segment.file().toFile(), "rw")) {
            file.setLength(1L << 42);
        }
        SegmentScanner scanner = new SegmentScanner(segment);
        List<JournalEntry> seen = new ArrayList<>();
        assertThatThrownBy(() -> scanner.scan(false, seen::add))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("hold no entry");
        assertThat(seen).hasSize(1);
    }

    @Test
    void garbage_that_grows_is_not_searched_again_from_its_start() {
        JournalSegment segment = segment();
        SegmentScanner scanner = new SegmentScanner(segment);
        List<JournalEntry> seen = new ArrayList<>();
        byte[] garbage = new byte[48 << 20];
        segment.append(ByteBuffer.wrap(garbage));
        for (int i = 0; i < 20; i++) {
            segment.append(ByteBuffer.wrap(new byte[100]));
            scanner.scan(false, seen::add);
        }
        segment.append(entry(EntryType.CREATE, "base/5/1", 0, 0, 0));
        scanner.scan(false, seen::add);
        assertThat(seen).hasSize(1);
        assertThat(scanner.dropped()).isEqualTo(garbage.length + 20 * 100L);
    }

    /** Whatever the fields say, and the checksums right: what is delivered is within bounds. */
    @Test
    void entries_with_any_numbers_are_within_bounds_or_dropped() {
        for (int round = 0; round < ROUNDS; round++) {
            ByteBuffer entry = any();
            long size = EntryCodec.check(entry, 0, 1);
            if (size > 0) {
                JournalEntry decoded = EntryCodec.decode(entry, 0, 64);
                assertThat(size).as("-Dcoppice.seed=%s", seed).isLessThanOrEqualTo(entry.limit());
                assertThat(decoded.dataLength()).as("-Dcoppice.seed=%s", seed).isBetween(0, 32 << 20);
                assertThat(decoded.path().length()).isLessThanOrEqualTo(1024);
                if (decoded.type() == EntryType.ZERO) {
                    assertThat(decoded.length()).isBetween(0L, 1L << 30);
                    assertThat(decoded.offset()).isBetween(0L, 64L << 30);
                }
            }
        }
    }

    @Test
    void any_mixture_of_entries_and_garbage_is_read_to_its_end() {
        JournalSegment segment = segment();
        for (int round = 0; round < ROUNDS; round++) {
            ByteBuffer entry = any();
            switch (random.nextInt(4)) {
                case 0 -> entry.limit(random.nextInt(entry.limit() + 1));
                case 1 -> entry.put(random.nextInt(entry.limit()), (byte) random.nextInt());
                default -> {}
            }
            segment.append(entry);
        }
        SegmentScanner scanner = new SegmentScanner(segment);
        scanner.scan(true, entry -> assertThat(entry.position()).isLessThan(segment.size()));
        assertThat(scanner.position()).as("-Dcoppice.seed=%s", seed).isEqualTo(segment.size());
    }

    private ByteBuffer any() {
        List<EntryType> types = List.of(EntryType.values());
        EntryType type = types.get(random.nextInt(types.size()));
        String path = switch (random.nextInt(4)) {
            case 0 -> "../".repeat(random.nextInt(300)) + "etc/passwd";
            case 1 -> "/etc/passwd\0";
            case 2 -> "x".repeat(random.nextInt(1024));
            default -> "base/5/" + random.nextInt(10);
        };
        return entry(type, path, number(), number(), random.nextInt(3) == 0 ? random.nextInt(20_000) : 0);
    }

    private long number() {
        return switch (random.nextInt(5)) {
            case 0 -> random.nextLong();
            case 1 -> Long.MAX_VALUE - random.nextInt(3);
            case 2 -> 8192L * random.nextInt(1 << 24);
            case 3 -> (64L << 30) + 8192L * (random.nextInt(3) - 1);
            default -> 8192L * random.nextInt(100);
        };
    }

    private static ByteBuffer entry(EntryType type, String path, long offset, long length, int data) {
        return EntryCodec.encode(type, path, 200, offset, length, 1, ByteBuffer.allocate(data));
    }
}
