package dev.coppice.storage.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Of another timeline's WAL, the record of the last checkpoint and nothing else. */
class CheckpointWalTest {
    private static final int PAGE = WalFormat.PAGE_SIZE;
    private static final int SEGMENT = 4 * PAGE;
    private static final byte OLD = 0x5A;

    /** Six pages, every byte of which is somebody's record. */
    private static final WalSource FULL = new WalSource() {
        @Override
        public int segmentSize() {
            return SEGMENT;
        }

        @Override
        public int read(long lsn, ByteBuffer target) {
            int count = Math.min(target.remaining(), (int) (6L * PAGE - lsn));
            byte[] bytes = new byte[count];
            Arrays.fill(bytes, OLD);
            target.put(bytes);
            return count;
        }
    };

    private static byte[] read(long checkpoint, long end, long from, int count) {
        ByteBuffer target = ByteBuffer.allocate(count + 3).position(3);
        assertThat(new CheckpointWal(FULL, () -> checkpoint, end).read(from, target))
                .isEqualTo(count);
        return Arrays.copyOfRange(target.array(), 3, 3 + count);
    }

    @Test
    void only_the_record_and_the_headers_of_pages_are_there_however_it_is_read() {
        // It begins on one page and ends on the next, which is the first of a segment.
        long checkpoint = 4L * PAGE - 40;
        long end = 4L * PAGE + WalFormat.LONG_HEADER_SIZE + 72;
        byte[] expected = new byte[6 * PAGE];
        for (int page = 0; page < 6; page++) {
            int header = WalFormat.headerSize((long) page * PAGE, SEGMENT);
            Arrays.fill(expected, page * PAGE, page * PAGE + header, OLD);
        }
        Arrays.fill(expected, (int) checkpoint, (int) end, OLD);
        assertThat(read(checkpoint, end, 0, 6 * PAGE)).isEqualTo(expected);
        for (int from : new int[] {1, 23, 24, 40, PAGE - 1, 3 * PAGE + 11, 4 * PAGE - 41, 4 * PAGE + 39}) {
            for (int count : new int[] {1, 25, 41, PAGE, PAGE + 17}) {
                assertThat(read(checkpoint, end, from, count))
                        .as("%s from %s", count, from)
                        .isEqualTo(Arrays.copyOfRange(expected, from, from + count));
            }
        }
    }
}
