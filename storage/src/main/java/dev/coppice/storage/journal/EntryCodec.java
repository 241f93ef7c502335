package dev.coppice.storage.journal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Bytes of one entry, both ways. Buffers are heap buffers in little-endian order. */
public final class EntryCodec {
    /** The fixed part before the path, in bytes. */
    public static final int FIXED_SIZE = 48;

    /** The longest path, in bytes; longer is taken for garbage. */
    static final int MAX_PATH_LENGTH = 1024;

    /** The most data in one entry, in bytes: the largest file that is journaled whole. */
    public static final int MAX_DATA_LENGTH = 32 << 20;

    /** The largest file offset, in bytes; beyond it lies garbage (Postgres's segments are 1 GB). */
    static final long MAX_FILE_SIZE = 64L << 30;

    /** The most zeroes in one entry, in bytes: a whole segment of a relation. One entry stands for each of its blocks in memory. */
    static final long MAX_ZERO_LENGTH = 1L << 30;

    /** {@link #check}: the bytes are not an entry. */
    static final long BAD = -1;

    /** {@link #check}: the header is whole and right, or not yet whole; more bytes are needed. */
    static final long TRUNCATED = 0;

    private static final int MAGIC = 'C' | ('P' << 8) | ('J' << 16) | ('1' << 24);

    private EntryCodec() {}

    /** Encodes an entry; {@code data} from its position to its limit is copied, and not moved. */
    public static ByteBuffer encode(
            EntryType type, String path, long stamp, long offset, long length, int epoch, ByteBuffer data) {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        int dataLength = data.remaining();
        if (name.length > MAX_PATH_LENGTH || dataLength > MAX_DATA_LENGTH) {
            throw new IllegalArgumentException(
                    "an entry of " + dataLength + " bytes for a path of " + name.length + " bytes is too large");
        }
        ByteBuffer buffer =
                ByteBuffer.allocate(FIXED_SIZE + name.length + dataLength).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(MAGIC).putInt(0).put((byte) type.code()).put((byte) 0);
        buffer.putShort((short) name.length)
                .putInt(dataLength)
                .putLong(stamp)
                .putLong(offset)
                .putLong(length);
        buffer.putInt(epoch).putInt(0).put(name).put(data.duplicate());
        if (dataLength > 0) {
            buffer.putInt(44, crc(buffer, FIXED_SIZE + name.length, dataLength));
        }
        buffer.putInt(4, crc(buffer, 8, FIXED_SIZE - 8 + name.length));
        return buffer.flip();
    }

    /**
     * Looks at the entry that begins at {@code at}.
     *
     * @return its size in bytes, or {@link #BAD}, or {@link #TRUNCATED}
     */
    static long check(ByteBuffer buffer, int at, int epoch) {
        long size = checkHeader(buffer, at, epoch);
        if (size <= 0) {
            return size;
        }
        if (buffer.limit() - at < size) {
            return TRUNCATED;
        }
        int pathLength = Short.toUnsignedInt(buffer.getShort(at + 10));
        int dataLength = buffer.getInt(at + 12);
        int expected = dataLength == 0 ? 0 : crc(buffer, at + FIXED_SIZE + pathLength, dataLength);
        return buffer.getInt(at + 44) == expected ? size : BAD;
    }

    /**
     * What stood at {@code at} before its data, or one byte in front of them, changed. The checksum tells: no other header is one byte
     * away.
     *
     * @return null when more changed
     */
    static @Nullable JournalEntry identify(ByteBuffer buffer, int at, int epoch, long position) {
        if (checkHeader(buffer, at, epoch) > 0) {
            return decode(buffer, at, position);
        }
        byte[] bytes = new byte[Math.min(buffer.limit() - at, FIXED_SIZE + MAX_PATH_LENGTH)];
        buffer.get(at, bytes);
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        JournalEntry found = null;
        int claimed = bytes.length < FIXED_SIZE ? 0 : Short.toUnsignedInt(header.getShort(10));
        int end = (int) Math.min(bytes.length, FIXED_SIZE + (long) Math.min(claimed, MAX_PATH_LENGTH));
        for (int i = 0; i < end; i++) {
            byte before = bytes[i];
            for (int value = Byte.MIN_VALUE; value <= Byte.MAX_VALUE; value++) {
                bytes[i] = (byte) value;
                if (value != before && checkHeader(header, 0, epoch) > 0) {
                    if (found != null) {
                        return null;
                    }
                    found = decode(header, 0, position);
                }
            }
            bytes[i] = before;
        }
        return found;
    }

    /** The size of the entry when its header is right, or {@link #BAD}, or {@link #TRUNCATED}. */
    private static long checkHeader(ByteBuffer buffer, int at, int epoch) {
        int available = buffer.limit() - at;
        if (available < FIXED_SIZE) {
            return TRUNCATED;
        }
        int pathLength = Short.toUnsignedInt(buffer.getShort(at + 10));
        int dataLength = buffer.getInt(at + 12);
        if (buffer.getInt(at) != MAGIC
                || !EntryType.isCode(buffer.get(at + 8))
                || buffer.get(at + 9) != 0
                || pathLength > MAX_PATH_LENGTH
                || dataLength < 0
                || dataLength > MAX_DATA_LENGTH
                || buffer.getInt(at + 40) != epoch) {
            return BAD;
        }
        if (available < FIXED_SIZE + pathLength) {
            return TRUNCATED;
        }
        if (buffer.getInt(at + 4) != crc(buffer, at + 8, FIXED_SIZE - 8 + pathLength) || !plausible(buffer, at)) {
            return BAD;
        }
        return (long) FIXED_SIZE + pathLength + dataLength;
    }

    /**
     * The entry that begins at {@code at}, which {@link #check} found whole.
     *
     * @param position what to report as the entry's position in its segment
     */
    static JournalEntry decode(ByteBuffer buffer, int at, long position) {
        int pathLength = Short.toUnsignedInt(buffer.getShort(at + 10));
        byte[] name = new byte[pathLength];
        buffer.get(at + FIXED_SIZE, name);
        String path = new String(name, StandardCharsets.UTF_8);
        return new JournalEntry(
                EntryType.of(buffer.get(at + 8)),
                path,
                position,
                buffer.getInt(at + 12),
                buffer.getLong(at + 16),
                buffer.getLong(at + 24),
                buffer.getLong(at + 32));
    }

    /** The size that the fixed part at the start of {@code buffer} claims, within the limits; not verified. */
    static long claimedSize(ByteBuffer buffer) {
        if (buffer.limit() < FIXED_SIZE) {
            return buffer.limit();
        }
        int pathLength = Math.min(MAX_PATH_LENGTH, Short.toUnsignedInt(buffer.getShort(10)));
        int dataLength = Math.clamp(buffer.getInt(12), 0, MAX_DATA_LENGTH);
        return (long) FIXED_SIZE + pathLength + dataLength;
    }

    /** Whether the four bytes at {@code at} are an entry's first. */
    static boolean hasMagic(ByteBuffer buffer, int at) {
        return buffer.getInt(at) == MAGIC;
    }

    /** Whether {@code count} bytes, fewer than the magic has, are its first ones. */
    static boolean isMagicBeginning(ByteBuffer buffer, int at, int count) {
        for (int i = 0; i < count; i++) {
            if (buffer.get(at + i) != (byte) (MAGIC >>> (Byte.SIZE * i))) {
                return false;
            }
        }
        return true;
    }

    /** Lengths and alignment that the entry's type allows. */
    private static boolean plausible(ByteBuffer buffer, int at) {
        EntryType type = EntryType.of(buffer.get(at + 8));
        int dataLength = buffer.getInt(at + 12);
        long offset = buffer.getLong(at + 24);
        long length = buffer.getLong(at + 32);
        return switch (type) {
            case PAGE -> isBlockStart(offset) && dataLength >= 1 && dataLength <= JournalSegment.BLOCK_SIZE;
            case ZERO -> isBlockStart(offset) && isBlockStart(length) && length <= MAX_ZERO_LENGTH && dataLength == 0;
            case TRUNCATE, EXTEND -> offset >= 0 && offset <= MAX_FILE_SIZE && dataLength == 0;
            case PUT -> true;
            case CREATE, UNLINK, MKDIR, RMDIR -> dataLength == 0;
            case FENCE -> offset >= 0 && dataLength == 0;
        };
    }

    private static boolean isBlockStart(long offset) {
        return offset >= 0 && offset <= MAX_FILE_SIZE && offset % JournalSegment.BLOCK_SIZE == 0;
    }

    private static int crc(ByteBuffer buffer, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.slice(from, length));
        return (int) crc.getValue();
    }
}
