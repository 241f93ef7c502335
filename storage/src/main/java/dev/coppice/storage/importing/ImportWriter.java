package dev.coppice.storage.importing;

import dev.coppice.storage.journal.EntryCodec;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.journal.JournalSegment;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Writes directories and files into a journal segment, all with one stamp; the caller syncs. */
public final class ImportWriter {
    /** Bytes of entries written at once. */
    private static final int BUFFER = 4 << 20;

    private static final ByteBuffer NO_DATA = ByteBuffer.allocate(0);

    private final JournalSegment segment;
    private final long stamp;
    private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(BUFFER);

    public ImportWriter(JournalSegment segment, long stamp) {
        this.segment = segment;
        this.stamp = stamp;
    }

    void directory(String path) {
        add(EntryType.MKDIR, path, 0, NO_DATA);
    }

    void whole(String path, byte[] content) {
        add(EntryType.PUT, path, 0, ByteBuffer.wrap(content));
    }

    void create(String path) {
        add(EntryType.CREATE, path, 0, NO_DATA);
    }

    /** @param size of the file with this in it, in bytes */
    void extend(String path, long size) {
        add(EntryType.EXTEND, path, size, NO_DATA);
    }

    /** @param offset in bytes, a multiple of the block size */
    void page(String path, long offset, ByteBuffer page) {
        add(EntryType.PAGE, path, offset, page);
    }

    /** Writes what is still in memory. */
    void flush() {
        segment.append(ByteBuffer.wrap(buffer.toByteArray()));
        buffer.reset();
    }

    private void add(EntryType type, String path, long offset, ByteBuffer data) {
        ByteBuffer entry = EntryCodec.encode(type, path, stamp, offset, 0, segment.epoch(), data);
        buffer.write(entry.array(), entry.arrayOffset(), entry.limit());
        if (buffer.size() >= BUFFER) {
            flush();
        }
    }
}
