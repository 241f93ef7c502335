package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PartEncoder;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import dev.coppice.storage.layer.store.LayerStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** Writes one layer file under a temporary name, front to back; see {@link LayerFormat}. For one thread. */
public final class LayerFileWriter implements AutoCloseable {
    private static final int BUFFER_BYTES = 256 << 10;

    /** Synced on the way, so that the last sync does not keep a committing Postgres waiting for hundreds of megabytes. */
    private static final int SYNC_EVERY_BYTES = 8 << 20;

    private final String name;
    private final LayerKind kind;
    private final long firstSequence;
    private final long lastSequence;
    private final Path file;
    private final FileWrites writes;
    private final FileChannel channel;
    private final int salt;
    private final CRC32C checksum = new CRC32C();
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final PartBuilder part = new PartBuilder();
    private final PartDirectory.Builder directory = new PartDirectory.Builder();

    private int buffered;
    private long written;
    private long synced;
    private long framesAt;
    private byte[] path = new byte[0];
    private byte[] firstPath = new byte[0];
    private boolean directoryNoted;
    private long entries;
    private long pages;
    private long minStamp = -1;
    private long maxStamp;

    public LayerFileWriter(
            LayerStore store,
            TimelineId timeline,
            String name,
            LayerKind kind,
            long firstSequence,
            long lastSequence,
            FileWrites writes) {
        this.name = name;
        this.kind = kind;
        this.firstSequence = firstSequence;
        this.lastSequence = lastSequence;
        this.writes = writes;
        salt = LayerFormat.salt(timeline, name);
        file = store.temporary(timeline, name);
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new StorageException("cannot create " + file + ": " + e.getMessage(), e);
        }
        writeHeader(timeline);
        framesAt = position();
    }

    /** Bytes so far. */
    long position() {
        return written + buffered;
    }

    public Path file() {
        return file;
    }

    public void beginFile(byte[] newPath) {
        if (entries == 0) {
            firstPath = newPath;
        }
        if (part.isFull()) {
            endPart();
        }
        path = newPath;
        directoryNoted = false;
        part.beginFile(newPath, false);
    }

    public void endFile() {
        part.endFile();
    }

    public void event(FileEventKind eventKind, long stamp, long sequence, long size) {
        part.event(eventKind, stamp, sequence, size);
        if (eventKind.isOfDirectory() && !directoryNoted) {
            directory.directory(path);
            directoryNoted = true;
        }
        count(stamp);
    }

    public void zero(long block, long stamp, long sequence) {
        splitIfFull();
        part.version(block, stamp, sequence, 0);
        count(stamp);
    }

    /** @param frame the codec at byte 4, the payload behind it; its checksum is set */
    public void page(long block, long stamp, long sequence, byte[] frame, int length) {
        splitIfFull();
        int from = LayerFormat.CHECKSUM_SIZE;
        int sum = LayerFormat.checksum(salt, position(), frame, from, length - from);
        ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN).putInt(0, sum);
        append(frame, 0, length);
        part.version(block, stamp, sequence, length);
        count(stamp);
        pages++;
    }

    /** Ends the file; it still has to be put into the store. */
    public LayerDescriptor finish() {
        endPart();
        long directoryAt = position();
        byte[] lastPath = path;
        PartEncoder encoded = directory.finish();
        appendSummed(encoded);
        writeFooter(directoryAt, encoded.length());
        flush();
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
        return new LayerDescriptor(
                name,
                kind,
                firstSequence,
                lastSequence,
                new String(firstPath, StandardCharsets.UTF_8),
                new String(lastPath, StandardCharsets.UTF_8),
                minStamp,
                maxStamp,
                written,
                entries,
                pages,
                (int) checksum.getValue());
    }

    /** Takes the file back, unless it was moved away. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new StorageException("cannot delete the unfinished layer " + file, e);
        }
    }

    private void count(long stamp) {
        entries++;
        minStamp = Long.compareUnsigned(stamp, minStamp) < 0 ? stamp : minStamp;
        maxStamp = Long.compareUnsigned(stamp, maxStamp) > 0 ? stamp : maxStamp;
    }

    private void splitIfFull() {
        if (part.isFull()) {
            part.endFile();
            endPart();
            part.beginFile(path, true);
        }
    }

    private void endPart() {
        if (part.isEmpty()) {
            return;
        }
        long framesLength = position() - framesAt;
        byte[] firstPathOfPart = part.firstPath();
        long key = part.firstKey();
        int starts = part.starts();
        PartEncoder encoded = part.finish();
        appendSummed(encoded);
        directory.add(firstPathOfPart, key, framesLength, encoded.length(), starts);
        framesAt = position();
    }

    private void appendSummed(PartEncoder unit) {
        int from = LayerFormat.CHECKSUM_SIZE;
        unit.putU32(0, LayerFormat.checksum(salt, position(), unit.array(), from, unit.length() - from));
        append(unit.array(), 0, unit.length());
    }

    private void writeHeader(TimelineId timeline) {
        PartEncoder header = new PartEncoder(LayerFormat.HEADER_SIZE);
        header.u64(LayerFormat.MAGIC);
        header.u32(LayerFormat.VERSION);
        header.u32(kind.code());
        byte[] id = timeline.value().getBytes(StandardCharsets.US_ASCII);
        header.bytes(id, 0, id.length);
        int zeroes = LayerFormat.HEADER_SIZE - LayerFormat.CHECKSUM_SIZE - header.length();
        header.bytes(new byte[zeroes], 0, zeroes);
        appendWithSumAtEnd(header);
    }

    private void writeFooter(long directoryAt, int directoryLength) {
        PartEncoder footer = new PartEncoder(LayerFormat.FOOTER_SIZE);
        footer.u64(directoryAt);
        footer.u64(directoryLength);
        footer.u64(firstSequence);
        footer.u64(lastSequence);
        footer.u64(minStamp);
        footer.u64(maxStamp);
        footer.u64(entries);
        footer.u64(pages);
        footer.u64(position() + LayerFormat.FOOTER_SIZE);
        footer.u32(LayerFormat.VERSION);
        footer.u32(kind.code());
        footer.u64(LayerFormat.MAGIC);
        footer.u32(0);
        appendWithSumAtEnd(footer);
    }

    private void appendWithSumAtEnd(PartEncoder unit) {
        unit.u32(LayerFormat.checksum(salt, position(), unit.array(), 0, unit.length()));
        append(unit.array(), 0, unit.length());
    }

    private void append(byte[] bytes, int from, int length) {
        int at = from;
        int rest = length;
        while (rest > 0) {
            if (buffered == buffer.length) {
                flush();
            }
            int step = Math.min(rest, buffer.length - buffered);
            System.arraycopy(bytes, at, buffer, buffered, step);
            buffered += step;
            at += step;
            rest -= step;
        }
    }

    private void flush() {
        checksum.update(buffer, 0, buffered);
        try {
            writes.write(channel, ByteBuffer.wrap(buffer, 0, buffered));
            written += buffered;
            buffered = 0;
            if (written - synced >= SYNC_EVERY_BYTES) {
                writes.force(channel);
                synced = written;
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private StorageException failed(IOException e) {
        return new StorageException("cannot write " + file + ": " + e.getMessage(), e);
    }
}
