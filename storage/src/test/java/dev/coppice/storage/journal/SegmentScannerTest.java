package dev.coppice.storage.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.io.OpenFiles;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SegmentScannerTest {
    private final TestDirectory directory = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final List<Long> seen = new ArrayList<>();
    private JournalSegment segment;
    private SegmentScanner scanner;

    @BeforeEach
    void create_a_segment() {
        segment = JournalSegment.create(directory.path(), new SegmentHeader(1, 100, new TimelineId("main")), files);
        scanner = new SegmentScanner(segment);
    }

    @AfterEach
    void clean_up() {
        files.close();
        directory.close();
    }

    private static ByteBuffer page(long block) {
        byte[] content = new byte[JournalSegment.BLOCK_SIZE];
        new Random(block).nextBytes(content);
        return EntryCodec.encode(
                EntryType.PAGE, "base/5/1", 200, block * JournalSegment.BLOCK_SIZE, 0, 1, ByteBuffer.wrap(content));
    }

    private List<Long> scan(boolean ended) {
        seen.clear();
        scanner.scan(ended, entry -> seen.add(entry.offset() / JournalSegment.BLOCK_SIZE));
        return seen;
    }

    @Test
    void follows_a_growing_segment() {
        assertThat(scan(false)).isEmpty();
        segment.append(page(1));
        assertThat(scan(false)).containsExactly(1L);
        segment.append(page(2));
        segment.append(page(3));
        assertThat(scan(false)).containsExactly(2L, 3L);
        assertThat(scanner.position()).isEqualTo(segment.size());
    }

    @Test
    void waits_for_a_tail_that_is_in_the_making() {
        ByteBuffer whole = page(2);
        segment.append(page(1));
        segment.append(whole.duplicate().limit(5000));
        assertThat(scan(false)).containsExactly(1L);
        segment.append(whole.duplicate().position(5000));
        assertThat(scan(false)).containsExactly(2L);
        assertThat(scanner.dropped()).isZero();
    }

    @Test
    void drops_torn_entries_of_every_length_in_the_middle() {
        int whole = page(0).limit();
        List<Long> expected = new ArrayList<>();
        long torn = 0;
        for (int length = 1; length < whole; length += length < 80 ? 1 : 611) {
            segment.append(page(1000).limit(length));
            segment.append(page(length));
            expected.add((long) length);
            torn += length;
        }
        assertThat(scan(false)).isEqualTo(expected);
        assertThat(scanner.dropped()).isEqualTo(torn);
    }

    @Test
    void drops_a_torn_tail_when_the_epoch_has_ended() {
        segment.append(page(1));
        segment.append(page(2).limit(300));
        assertThat(scan(true)).containsExactly(1L);
        assertThat(scanner.position()).isEqualTo(segment.size());
        assertThat(scanner.dropped()).isEqualTo(300);
    }

    @Test
    void drops_a_torn_entry_longer_than_the_rest_of_the_file() {
        segment.append(EntryCodec.encode(EntryType.PUT, "big", 200, 0, 0, 1, ByteBuffer.allocate(3 << 20))
                .limit(100));
        segment.append(page(1));
        assertThat(scan(false)).containsExactly(1L);
    }

    @Test
    void reads_entries_larger_than_the_window() {
        segment.append(page(1));
        segment.append(
                EntryCodec.encode(EntryType.PUT, "big", 200, 0, 0, 1, ByteBuffer.allocate(EntryCodec.MAX_DATA_LENGTH)));
        segment.append(page(2));
        assertThat(scan(false)).containsExactly(1L, 0L, 2L);
    }

    @Test
    void ignores_entries_of_another_epoch() {
        segment.append(EntryCodec.encode(EntryType.CREATE, "x", 200, 0, 0, 2, ByteBuffer.allocate(0)));
        segment.append(page(1));
        assertThat(scan(false)).containsExactly(1L);
    }

    @Test
    void is_not_led_astray_by_bytes_that_look_like_an_entry() {
        byte[] content = new byte[JournalSegment.BLOCK_SIZE];
        for (int i = 0; i + 4 <= content.length; i += 4) {
            content[i] = 'C';
            content[i + 1] = 'P';
            content[i + 2] = 'J';
            content[i + 3] = '1';
        }
        ByteBuffer entry = EntryCodec.encode(EntryType.PAGE, "f", 200, 0, 0, 1, ByteBuffer.wrap(content));
        segment.append(entry.duplicate().limit(4000));
        assertThat(scan(false)).isEmpty();
        segment.append(page(7));
        assertThat(scan(false)).containsExactly(7L);
    }
}
