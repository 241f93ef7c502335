package dev.coppice.storage;

import dev.coppice.storage.journal.EntryCodec;
import dev.coppice.storage.journal.EntryType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Appends to a timeline's open segment as a compute's processes do. */
final class Journaling {
    private final Path segment;
    private final int epoch;
    long mark;

    private Journaling(Path segment, int epoch, long mark) {
        this.segment = segment;
        this.epoch = epoch;
        this.mark = mark;
    }

    /** With the mark just beyond the end of WAL. */
    static Journaling to(Timeline timeline) {
        int epoch = (int) timeline.currentEpoch();
        Path segment = timeline.layout().journal().resolve(String.format(java.util.Locale.ROOT, "%08d.journal", epoch));
        return new Journaling(segment, epoch, timeline.endOfWal().value() + 1);
    }

    Path segment() {
        return segment;
    }

    void put(String path, byte[] content) {
        append(EntryType.PUT, path, 0, 0, content);
    }

    void page(String path, long block, byte[] content) {
        append(EntryType.PAGE, path, block * Timeline.BLOCK_SIZE, 0, content);
    }

    void append(EntryType type, String path, long offset, long length, byte... data) {
        appendRaw(EntryCodec.encode(type, path, mark, offset, length, epoch, ByteBuffer.wrap(data)));
    }

    /** Only the first {@code bytes} of a PAGE entry, as a killed process leaves it. */
    void tornPage(String path, long block, byte[] content, int bytes) {
        ByteBuffer entry = EntryCodec.encode(
                EntryType.PAGE, path, mark, block * Timeline.BLOCK_SIZE, 0, epoch, ByteBuffer.wrap(content));
        appendRaw(entry.limit(bytes));
    }

    private void appendRaw(ByteBuffer bytes) {
        try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            channel.write(bytes);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
