package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Fills the WAL directory of a branch that wakes for the first time: everything from the redo point to where the branch
 * begins, and nothing beyond.
 */
public final class WalLayout {
    private static final int COPY_BUFFER = 1 << 20;

    private WalLayout() {}

    /**
     * Writes the segments that hold {@code redo .. end} into {@code directory}, durably: sparsely, the first page, which Postgres
     * checks, and what recovery reads. Nothing is shared with an ancestor by hard link: a file has one owner, and whoever owns it may write it.
     *
     * @param parent the WAL below {@code end}
     */
    public static void fill(Path directory, WalSource parent, long redo, long end) throws IOException {
        int size = parent.segmentSize();
        try (UntrustedDirectory wal = UntrustedDirectory.open(directory)) {
            for (long start = WalFormat.segmentStart(redo, size); Lsn.isBefore(start, end); start += size) {
                boolean complete = !Lsn.isBefore(end, start + size);
                long from = Lsn.max(redo, start);
                copy(parent, wal, WalFormat.segmentName(start, size), start, from, complete ? start + size : end);
            }
            if (Long.remainderUnsigned(end, size) == 0) {
                // Postgres creates the segment that begins at the end of WAL itself.
                wal.delete(WalFormat.segmentName(end, size));
            }
            wal.sync();
        }
    }

    private static void copy(WalSource parent, UntrustedDirectory wal, String target, long start, long from, long end)
            throws IOException {
        String temporary = target + ".new";
        wal.delete(temporary);
        try (FileChannel channel = wal.create(temporary)) {
            long firstPageEnd = Lsn.min(start + WalFormat.PAGE_SIZE, end);
            copyRange(parent, channel, start, start, firstPageEnd);
            long pageOfFrom = from - Long.remainderUnsigned(from, WalFormat.PAGE_SIZE);
            copyRange(parent, channel, start, Lsn.max(pageOfFrom, firstPageEnd), end);
            if (Lsn.isBefore(end, start + parent.segmentSize())) {
                // The rest of the segment is zero: no record may follow the end.
                channel.write(ByteBuffer.allocate(1), parent.segmentSize() - 1L);
            }
            channel.force(true);
        }
        wal.rename(temporary, target);
    }

    private static void copyRange(WalSource parent, FileChannel channel, long start, long from, long end)
            throws IOException {
        for (long at = from; Lsn.isBefore(at, end); at += COPY_BUFFER) {
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(COPY_BUFFER, end - at));
            if (parent.read(at, buffer) < buffer.capacity()) {
                throw new StorageException("the WAL at " + new Lsn(at) + " is missing");
            }
            buffer.flip();
            while (buffer.hasRemaining()) {
                channel.write(buffer, at - start + buffer.position());
            }
        }
    }
}
