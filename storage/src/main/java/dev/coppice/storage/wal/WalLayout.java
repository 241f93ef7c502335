package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import dev.coppice.storage.StorageException;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Fills the WAL directory of a branch that wakes for the first time: everything from the redo point to where the branch
 * begins, and nothing beyond.
 */
public final class WalLayout {
    private static final int COPY_BUFFER = 1 << 20;

    private WalLayout() {}

    /**
     * Writes the segments that hold {@code redo .. end} into {@code directory}, durably.
     *
     * <p>A segment that lies before {@code end} and is one ancestor's alone becomes a hard link: nobody writes it any
     * more. Others are copied sparsely: the first page, which Postgres checks, and what recovery reads.
     *
     * @param parent the WAL below {@code end}
     */
    public static void fill(Path directory, WalSource parent, long redo, long end) throws IOException {
        int size = parent.segmentSize();
        for (long start = WalFormat.segmentStart(redo, size); Long.compareUnsigned(start, end) < 0; start += size) {
            Path target = directory.resolve(WalFormat.segmentName(start, size));
            Files.deleteIfExists(target);
            boolean complete = Long.compareUnsigned(start + size, end) <= 0;
            Optional<Path> whole = complete ? parent.wholeSegment(start) : Optional.empty();
            if (whole.isEmpty() || !link(whole.get(), target)) {
                long from = Long.compareUnsigned(redo, start) > 0 ? redo : start;
                copy(parent, target, start, from, complete ? start + size : end);
            }
        }
        if (Long.remainderUnsigned(end, size) == 0) {
            // Postgres creates the segment that begins at the end of WAL itself.
            Files.deleteIfExists(directory.resolve(WalFormat.segmentName(end, size)));
        }
        DurableFiles.syncDirectory(directory);
    }

    private static boolean link(Path from, Path target) throws IOException {
        try {
            Files.createLink(target, from);
            return true;
        } catch (UnsupportedOperationException | java.nio.file.FileSystemException e) {
            // Another file system, or too many links: a copy does as well.
            Files.deleteIfExists(target);
            return false;
        }
    }

    private static void copy(WalSource parent, Path target, long start, long from, long end) throws IOException {
        Path temporary = target.resolveSibling(target.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
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
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
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
