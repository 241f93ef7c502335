package dev.coppice.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** Writes valid WAL without a Postgres: records with checksums and links, in pages, in small segments. */
final class SyntheticWal {
    /** In bytes. */
    static final int SEGMENT = 1 << 20;

    /** Where the first segment begins. */
    static final long BEGIN = SEGMENT;

    private static final int PAGE = 8192;
    private static final int RECORD_HEADER = 24;
    private static final int MAGIC = 0xD118;
    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private final Path directory;
    private long position;
    private long previous;

    /**
     * Goes on at a boundary.
     *
     * @param previous where the record before it begins, 0 for none
     */
    SyntheticWal(Path directory, long position, long previous) {
        this.directory = directory;
        this.position = position;
        this.previous = previous;
    }

    /** The end of the last record. */
    long position() {
        return position;
    }

    /** Where the last record begins. */
    long lastStart() {
        return previous;
    }

    /** A commit at this time. */
    void commit(Instant time) {
        ByteBuffer payload = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
        payload.put((byte) 255).put((byte) 8).putLong(ChronoUnit.MICROS.between(POSTGRES_EPOCH, time));
        append(1, 0, payload.array());
    }

    /** A record of a heap, of any length. */
    void filler(int length) {
        ByteBuffer payload = ByteBuffer.allocate(5 + length).order(ByteOrder.LITTLE_ENDIAN);
        payload.put((byte) 254).putInt(length);
        append(10, 0, payload.array());
    }

    /** A checkpoint. */
    void checkpoint() {
        append(0, 0x10, new byte[] {(byte) 255, 0});
    }

    private void append(int rmgr, int info, byte[] payload) {
        ByteBuffer record = ByteBuffer.allocate(RECORD_HEADER + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        record.putInt(record.capacity()).putInt(1000).putLong(previous);
        record.put((byte) info).put((byte) rmgr).putShort((short) 0).putInt(0).put(payload);
        CRC32C crc = new CRC32C();
        crc.update(record.array(), RECORD_HEADER, payload.length);
        crc.update(record.array(), 0, 20);
        record.putInt(20, (int) crc.getValue());
        record.flip();

        long at = position;
        boolean begun = false;
        while (record.hasRemaining()) {
            if (at % PAGE == 0) {
                at = pageHeader(at, begun ? record.remaining() : 0);
            }
            if (!begun) {
                previous = at;
                begun = true;
            }
            int length = (int) Math.min(record.remaining(), PAGE - at % PAGE);
            write(at, record.slice(record.position(), length));
            record.position(record.position() + length);
            at += length;
        }
        position = (at + 7) & ~7L;
    }

    private long pageHeader(long page, int continued) {
        boolean first = page % SEGMENT == 0;
        ByteBuffer header = ByteBuffer.allocate(first ? 40 : 24).order(ByteOrder.LITTLE_ENDIAN);
        header.putShort((short) MAGIC).putShort((short) ((continued > 0 ? 1 : 0) | (first ? 2 : 0)));
        header.putInt(1).putLong(page).putInt(continued);
        if (first) {
            header.putLong(24, 4711).putInt(32, SEGMENT).putInt(36, PAGE);
        }
        write(page, header.clear());
        return page + header.capacity();
    }

    private void write(long at, ByteBuffer bytes) {
        Path file = directory.resolve(name(at));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (channel.size() < SEGMENT) {
                channel.write(ByteBuffer.allocate(1), SEGMENT - 1);
            }
            channel.write(bytes, at % SEGMENT);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Moves segments that end before {@code redo} into the archive, as the interposer does when Postgres removes them. */
    void archiveBefore(long redo, Path archive) {
        String first = name(redo);
        try (Stream<Path> segments = Files.list(directory)) {
            List<Path> old = segments.filter(
                            path -> path.getFileName().toString().matches("[0-9A-F]{24}"))
                    .filter(path -> path.getFileName().toString().compareTo(first) < 0)
                    .toList();
            for (Path segment : old) {
                Files.move(segment, archive.resolve(segment.getFileName()), StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String name(long lsn) {
        long number = lsn / SEGMENT;
        long perId = 0x1_0000_0000L / SEGMENT;
        return String.format(Locale.ROOT, "00000001%08X%08X", number / perId, number % perId);
    }

    /** A {@code pg_control} of this state (1: shut down, 6: running). */
    static byte[] control(int state, long checkPoint, long redo) {
        ByteBuffer bytes = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(16, state).putLong(32, checkPoint).putLong(40, redo);
        return bytes.array();
    }
}
