package dev.coppice.storage.wal;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A WAL segment in zstd frames of {@link #FRAME_SIZE} bytes each, so that a read decompresses what it needs only.
 *
 * <p>Format, little-endian: the zstd frames; then one skippable frame of zstd (RFC 8878, 3.1.2), so that the {@code zstd}
 * command restores the segment: {@code u32 0x184D2A5C}, {@code u32} size of what follows, per frame {@code u32} compressed
 * size and {@code u32} CRC-32C of its WAL; then the footer, 24 bytes: {@code u32} segment size, {@code u32} frame size,
 * {@code u32} number of frames, {@code u32} CRC-32C of the table and the footer before it, 8 bytes {@code COPPICEW}.
 */
final class CompressedSegment {
    /** WAL in one frame, in bytes. */
    static final int FRAME_SIZE = 128 << 10;

    private static final int LEVEL = 1;
    private static final int SKIPPABLE_MAGIC = 0x184D2A5C;
    private static final int SKIPPABLE_HEADER = 8;
    private static final int ENTRY_SIZE = 8;
    private static final int FOOTER_SIZE = 24;
    private static final int CHECKED_FOOTER = 12;
    private static final int MAX_SEGMENT_SIZE = 1 << 30;
    private static final byte[] MAGIC = "COPPICEW".getBytes(StandardCharsets.US_ASCII);

    private final OpenFiles files;
    private final Path file;
    private final int segmentSize;
    private final ByteBuffer table;

    private CompressedSegment(OpenFiles files, Path file, int segmentSize, ByteBuffer table) {
        this.files = files;
        this.file = file;
        this.segmentSize = segmentSize;
        this.table = table;
    }

    /**
     * Compresses a whole segment into {@code target} and syncs it; the name is not made durable.
     *
     * @throws StorageException when {@code plain} does not have {@code segmentSize} bytes
     */
    static void write(Path plain, int segmentSize, Path target) throws IOException {
        try (FileChannel from = FileChannel.open(plain, StandardOpenOption.READ);
                FileChannel to = FileChannel.open(
                        target,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            if (from.size() != segmentSize) {
                throw new StorageException(plain + " has " + from.size() + " bytes, not " + segmentSize);
            }
            int count = (segmentSize + FRAME_SIZE - 1) / FRAME_SIZE;
            ByteBuffer end = ByteBuffer.allocate(SKIPPABLE_HEADER + count * ENTRY_SIZE + FOOTER_SIZE)
                    .order(ByteOrder.LITTLE_ENDIAN);
            end.putInt(SKIPPABLE_MAGIC).putInt(count * ENTRY_SIZE + FOOTER_SIZE);
            for (int i = 0; i < count; i++) {
                byte[] wal = new byte[Math.min(FRAME_SIZE, segmentSize - i * FRAME_SIZE)];
                readFully(from, plain, wal, (long) i * FRAME_SIZE);
                byte[] frame = Zstd.compress(wal, LEVEL);
                writeFully(to, ByteBuffer.wrap(frame));
                end.putInt(frame.length).putInt(crc(ByteBuffer.wrap(wal)));
            }
            end.putInt(segmentSize).putInt(FRAME_SIZE).putInt(count);
            end.putInt(crc(end.slice(SKIPPABLE_HEADER, end.position() - SKIPPABLE_HEADER)))
                    .put(MAGIC);
            writeFully(to, end.flip());
            to.force(true);
        }
    }

    /**
     * Reads the table of frames.
     *
     * @throws ChecksumMismatchException when the file is damaged
     */
    static CompressedSegment open(OpenFiles files, Path file) {
        long size;
        try {
            size = Files.size(file);
        } catch (IOException e) {
            throw new StorageException("cannot see the size of " + file, e);
        }
        if (size < SKIPPABLE_HEADER + FOOTER_SIZE) {
            throw damaged(file, "it is too short");
        }
        ByteBuffer footer = load(files, file, size - FOOTER_SIZE, FOOTER_SIZE);
        int segmentSize = footer.getInt(0);
        int count = footer.getInt(8);
        boolean plausible = segmentSize > 0
                && segmentSize <= MAX_SEGMENT_SIZE
                && footer.getInt(4) == FRAME_SIZE
                && count == (segmentSize + FRAME_SIZE - 1) / FRAME_SIZE
                && size >= SKIPPABLE_HEADER + (long) count * ENTRY_SIZE + FOOTER_SIZE;
        for (int i = 0; i < MAGIC.length; i++) {
            plausible &= footer.get(FOOTER_SIZE - MAGIC.length + i) == MAGIC[i];
        }
        if (!plausible) {
            throw damaged(file, "its footer is not right");
        }
        int tableSize = count * ENTRY_SIZE;
        ByteBuffer table = load(files, file, size - FOOTER_SIZE - tableSize, tableSize + FOOTER_SIZE);
        if (crc(table.slice(0, tableSize + CHECKED_FOOTER)) != table.getInt(tableSize + CHECKED_FOOTER)) {
            throw damaged(file, "the checksum of its table is wrong");
        }
        return new CompressedSegment(files, file, segmentSize, table);
    }

    int segmentSize() {
        return segmentSize;
    }

    /**
     * Reads WAL from {@code offset} until {@code target} is full or the segment ends.
     *
     * @return the bytes read
     * @throws ChecksumMismatchException when a frame is damaged
     */
    int read(long offset, ByteBuffer target) {
        int start = target.position();
        long at = 0;
        for (int i = 0; i * (long) FRAME_SIZE < segmentSize && target.hasRemaining(); i++) {
            int length = table.getInt(i * ENTRY_SIZE);
            long position = offset + (target.position() - start);
            if (position < (i + 1L) * FRAME_SIZE && position < segmentSize) {
                byte[] wal = frame(i, at, length);
                int from = (int) (position - (long) i * FRAME_SIZE);
                target.put(wal, from, Math.min(target.remaining(), wal.length - from));
            }
            at += Integer.toUnsignedLong(length);
        }
        return target.position() - start;
    }

    private byte[] frame(int number, long at, int length) {
        byte[] wal = new byte[Math.min(FRAME_SIZE, segmentSize - number * FRAME_SIZE)];
        if (length <= 0 || length > Zstd.compressBound(FRAME_SIZE)) {
            throw damaged(file, "frame " + number + " claims " + length + " bytes");
        }
        byte[] compressed = new byte[length];
        load(files, file, at, length).get(compressed);
        try {
            long got = Zstd.decompressByteArray(wal, 0, wal.length, compressed, 0, length);
            if (got == wal.length && crc(ByteBuffer.wrap(wal)) == table.getInt(number * ENTRY_SIZE + 4)) {
                return wal;
            }
        } catch (ZstdException e) {
            throw damaged(file, "frame " + number + " at byte " + at + " cannot be decompressed: " + e.getMessage());
        }
        throw damaged(file, "the checksum of frame " + number + " at byte " + at + " is wrong");
    }

    private static ByteBuffer load(OpenFiles files, Path file, long position, int length) {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        if (files.read(file, position, buffer) < length) {
            throw damaged(file, "it ends before byte " + (position + length));
        }
        return buffer.flip();
    }

    private static void readFully(FileChannel channel, Path file, byte[] into, long position) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(into);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new StorageException(file + " became shorter while it was read");
            }
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static ChecksumMismatchException damaged(Path file, String what) {
        return new ChecksumMismatchException(file + " is damaged: " + what);
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }
}
