package dev.coppice.storage.wal;

import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DiskUse;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;

/**
 * A directory of segments that Postgres is done with: plain as it left them, or compressed under {@code <segment>.zst}.
 *
 * <p>A plain segment counts before a compressed one of the same position, and is removed only when the other is durable:
 * whoever looks for the plain one first finds one of them at any moment. Changes exclude each other.
 */
final class WalArchive {
    static final Pattern SEGMENT = Pattern.compile("00000001[0-9A-F]{16}");
    static final String COMPRESSED = ".zst";
    private static final String TEMPORARY = ".new";

    private final Path directory;
    private final OpenFiles files;

    WalArchive(Path directory, OpenFiles files) {
        this.directory = directory;
        this.files = files;
    }

    Path plain(String segment) {
        return directory.resolve(segment);
    }

    Path compressed(String segment) {
        return directory.resolve(segment + COMPRESSED);
    }

    static boolean isCompressed(Path file) {
        return file.getFileName().toString().endsWith(COMPRESSED);
    }

    synchronized WalStore.Compression compress(int segmentSize, long ancestorLsn, Instant notWrittenSince, int most) {
        int done = 0;
        long before = 0;
        long after = 0;
        removeTemporaries();
        for (Path plain : list(name -> SEGMENT.matcher(name).matches())) {
            String name = plain.getFileName().toString();
            long end = WalFormat.segmentOf(name, segmentSize) + segmentSize;
            DiskUse use = DiskUse.of(plain);
            // Shared by hard link, as versions before did with a branch's pg_wal: a compressed copy would take space,
            // not give any.
            if (done == most || use.links() != 1 || Long.compareUnsigned(end, ancestorLsn) <= 0) {
                continue;
            }
            try {
                if (Files.size(plain) == segmentSize
                        && Files.getLastModifiedTime(plain).toInstant().isBefore(notWrittenSince)) {
                    Path compressed = compressOne(plain, name, segmentSize);
                    done++;
                    before += use.bytes();
                    after += DiskUse.of(compressed).bytes();
                }
            } catch (IOException e) {
                throw new StorageException("cannot compress " + plain, e);
            }
        }
        return new WalStore.Compression(done, before, after);
    }

    /** Takes a segment out of a compute's directory, unless there is one of its name: that one stays as it is, and the other goes. */
    synchronized void collect(UntrustedDirectory from, String segment, int segmentSize) throws IOException {
        if (Files.exists(plain(segment), LinkOption.NOFOLLOW_LINKS)
                || Files.exists(compressed(segment), LinkOption.NOFOLLOW_LINKS)) {
            from.delete(segment);
        } else {
            from.takeOut(segment, segmentSize, plain(segment));
            files.forget(plain(segment));
        }
    }

    private Path compressOne(Path plain, String name, int segmentSize) throws IOException {
        Path compressed = compressed(name);
        Path temporary = directory.resolve(name + COMPRESSED + TEMPORARY);
        try {
            CompressedSegment.write(plain, segmentSize, temporary);
            compareWhole(plain, temporary, segmentSize);
            Files.move(temporary, compressed, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            files.forget(temporary);
            Files.deleteIfExists(temporary);
        }
        files.forget(compressed);
        DurableFiles.syncDirectory(directory);
        Files.delete(plain);
        files.forget(plain);
        return compressed;
    }

    /** The plain segment is about to go, and there is no other copy of its bytes. */
    private void compareWhole(Path plain, Path compressed, int segmentSize) {
        CompressedSegment read = CompressedSegment.open(files, compressed);
        ByteBuffer expected = ByteBuffer.allocate(CompressedSegment.FRAME_SIZE);
        ByteBuffer found = ByteBuffer.allocate(CompressedSegment.FRAME_SIZE);
        for (long at = 0; at < segmentSize; at += CompressedSegment.FRAME_SIZE) {
            files.read(plain, at, expected.clear());
            read.read(at, found.clear());
            if (!expected.flip().equals(found.flip())) {
                throw new StorageException(compressed + " does not give back " + plain + " at byte " + at);
            }
        }
    }

    /** Puts the plain form of a compressed segment beside it, durably, and removes the compressed one. */
    synchronized void inflate(String name, int segmentSize) throws IOException {
        Path compressed = compressed(name);
        Path temporary = directory.resolve(name + TEMPORARY);
        CompressedSegment from = CompressedSegment.open(files, compressed);
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer buffer = ByteBuffer.allocate(CompressedSegment.FRAME_SIZE);
            for (long at = 0; at < segmentSize; at += CompressedSegment.FRAME_SIZE) {
                from.read(at, buffer.clear());
                buffer.flip();
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            channel.force(true);
        }
        Files.move(temporary, plain(name), StandardCopyOption.ATOMIC_MOVE);
        files.forget(plain(name));
        DurableFiles.syncDirectory(directory);
        Files.delete(compressed);
        files.forget(compressed);
    }

    /** Deletes the segments whose first position the predicate accepts; gives the bytes that came free. */
    synchronized long delete(int segmentSize, LongPredicate doomed) {
        long freed = 0;
        removeTemporaries();
        for (Path file : list(WalArchive::isSegment)) {
            String name = file.getFileName().toString();
            if (doomed.test(WalFormat.segmentOf(name, segmentSize))) {
                DiskUse use = DiskUse.of(file);
                try {
                    Files.deleteIfExists(file);
                } catch (IOException e) {
                    throw new StorageException("cannot delete " + file, e);
                }
                files.forget(file);
                freed += use.links() == 1 ? use.bytes() : 0;
            }
        }
        return freed;
    }

    /** Reads every segment; what is wrong, by name with the directory's before it. */
    Map<String, String> damaged(int segmentSize) {
        Map<String, String> found = new TreeMap<>();
        for (Path file : list(WalArchive::isSegment)) {
            String name = directory.getFileName() + "/" + file.getFileName();
            try {
                if (isCompressed(file)) {
                    CompressedSegment segment = CompressedSegment.open(files, file);
                    ByteBuffer wal = ByteBuffer.allocate(CompressedSegment.FRAME_SIZE);
                    for (long at = 0; at < segment.segmentSize(); at += CompressedSegment.FRAME_SIZE) {
                        segment.read(at, wal.clear());
                    }
                } else if (Files.size(file) != segmentSize) {
                    found.put(name, "it has " + Files.size(file) + " bytes, not " + segmentSize);
                }
            } catch (ChecksumMismatchException e) {
                found.put(name, String.valueOf(e.getMessage()));
            } catch (StorageException | IOException e) {
                // Compressed or deleted meanwhile is fine.
                if (Files.exists(file)) {
                    found.put(name, "cannot be read: " + e.getMessage());
                }
            }
        }
        return found;
    }

    static boolean isSegment(String name) {
        String segment = name.endsWith(COMPRESSED) ? name.substring(0, name.length() - COMPRESSED.length()) : name;
        return SEGMENT.matcher(segment).matches();
    }

    private void removeTemporaries() {
        for (Path left : list(name -> name.endsWith(TEMPORARY))) {
            try {
                Files.deleteIfExists(left);
            } catch (IOException e) {
                throw new StorageException("cannot delete " + left, e);
            }
        }
    }

    /** The files whose names are accepted, by name; none without the directory. */
    List<Path> list(java.util.function.Predicate<String> accepted) {
        try (UntrustedDirectory names = UntrustedDirectory.open(directory)) {
            return names.list(accepted).stream().map(directory::resolve).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new StorageException("cannot list " + directory, e);
        }
    }
}
