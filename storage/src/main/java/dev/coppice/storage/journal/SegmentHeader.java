package dev.coppice.storage.journal;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * The first 64 bytes of a segment.
 *
 * @param epoch from 1, equal to the number in the file's name
 * @param startMark the LSN at which the epoch began, compared unsigned
 */
public record SegmentHeader(int epoch, long startMark, TimelineId timeline) {
    /** In bytes. */
    public static final int SIZE = 64;

    private static final byte[] MAGIC = "COPPICEJ".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int TIMELINE_OFFSET = 24;
    private static final int CRC_OFFSET = 60;

    /** The header's bytes. */
    public byte[] encode() {
        ByteBuffer buffer = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(MAGIC).putInt(VERSION).putInt(epoch).putLong(startMark);
        buffer.put(timeline.value().getBytes(StandardCharsets.US_ASCII));
        buffer.putInt(CRC_OFFSET, crc(buffer.array()));
        return buffer.array();
    }

    /**
     * Reads a header.
     *
     * @param source names the file in errors
     * @throws StorageException when it is not a whole header of a known version
     */
    public static SegmentHeader decode(byte[] bytes, Object source) {
        if (bytes.length < SIZE || !java.util.Arrays.equals(MAGIC, 0, MAGIC.length, bytes, 0, MAGIC.length)) {
            throw new StorageException(source + " is not a journal segment");
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getInt(CRC_OFFSET) != crc(bytes)) {
            throw new StorageException(source + ": the journal header's checksum is wrong");
        }
        if (buffer.getInt(8) != VERSION) {
            throw new StorageException(source + ": journal format version " + buffer.getInt(8) + " is not known");
        }
        int end = TIMELINE_OFFSET;
        while (end < CRC_OFFSET && bytes[end] != 0) {
            end++;
        }
        String timeline = new String(bytes, TIMELINE_OFFSET, end - TIMELINE_OFFSET, StandardCharsets.US_ASCII);
        return new SegmentHeader(buffer.getInt(12), buffer.getLong(16), new TimelineId(timeline));
    }

    private static int crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, CRC_OFFSET);
        return (int) crc.getValue();
    }
}
