package dev.coppice.storage.wal;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/**
 * The zeroes behind the last record of a segment: disk space that Postgres took ahead, of a timeline on which nothing runs any more. They
 * become a hole, so the segment keeps its size and its bytes.
 */
public final class UnwrittenWal {
    private static final int PIECE = 1 << 16;

    private UnwrittenWal() {}

    /**
     * Gives it back to the file system. Each segment is replaced as a whole, so an end in between leaves the one or the other.
     *
     * @param directory of segments that nobody writes
     */
    public static void release(Path directory) throws IOException {
        List<Path> segments;
        try (Stream<Path> files = Files.list(directory)) {
            segments = files.filter(
                            file -> WalArchive.isSegment(file.getFileName().toString()))
                    .toList();
        }
        for (Path segment : segments) {
            release(directory, segment);
        }
    }

    private static void release(Path directory, Path segment) throws IOException {
        long size = Files.size(segment);
        long written = written(segment, size);
        // One that is shared with a parent costs nothing here, and would cost a copy.
        if (size - written < PIECE || (int) Files.getAttribute(segment, "unix:nlink") > 1) {
            return;
        }
        Path sparse = directory.resolve(segment.getFileName() + ".sparse");
        Files.deleteIfExists(sparse);
        PosixFileAttributes attributes = Files.readAttributes(segment, PosixFileAttributes.class);
        try (FileChannel from = FileChannel.open(segment, StandardOpenOption.READ);
                FileChannel to = FileChannel.open(sparse, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < written; ) {
                at += from.transferTo(at, written - at, to);
            }
        }
        try (RandomAccessFile file = new RandomAccessFile(sparse.toFile(), "rw")) {
            file.setLength(size);
            file.getChannel().force(true);
        }
        PosixFileAttributeView view = Files.getFileAttributeView(sparse, PosixFileAttributeView.class);
        view.setPermissions(attributes.permissions());
        if (!view.readAttributes().owner().equals(attributes.owner())) {
            view.setOwner(attributes.owner());
            view.setGroup(attributes.group());
        }
        Files.move(sparse, segment, StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.syncDirectory(directory);
    }

    /** Where the last byte that is not zero ends, or up to a piece later. */
    private static long written(Path segment, long size) throws IOException {
        byte[] zeroes = new byte[PIECE];
        byte[] piece = new byte[PIECE];
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "r")) {
            long end = size;
            while (end > 0) {
                int length = (int) Math.min(PIECE, end);
                file.seek(end - length);
                file.readFully(piece, 0, length);
                if (!java.util.Arrays.equals(piece, 0, length, zeroes, 0, length)) {
                    return end;
                }
                end -= length;
            }
            return 0;
        }
    }
}
