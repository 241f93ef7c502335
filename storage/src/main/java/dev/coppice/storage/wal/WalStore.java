package dev.coppice.storage.wal;

import dev.coppice.storage.StorageException;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The WAL of one timeline, by position along the chain: below the ancestor LSN it is the parent's, from there on its own
 * {@code wal/}, then {@code wal-archive/}. Its own file for the segment that holds the ancestor LSN begins with a copied
 * part; that part is never read here. Thread-safe.
 */
public final class WalStore {
    private static final Pattern SEGMENT = Pattern.compile("00000001[0-9A-F]{16}");
    private static final int SEGMENT_SIZE_OFFSET = 32;

    private final Path wal;
    private final Path archive;
    private final @Nullable WalStore parent;
    private final long ancestorLsn;
    private final OpenFiles files;
    private volatile int segmentSize;

    /** @param parent the WAL below {@code ancestorLsn}; null for a root, whose ancestor LSN is 0 */
    public WalStore(Path wal, Path archive, @Nullable WalStore parent, long ancestorLsn, OpenFiles files) {
        this.wal = wal;
        this.archive = archive;
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
        this.files = files;
    }

    /** In bytes, from the first page of any segment of the root. */
    public int segmentSize() {
        if (parent != null) {
            return parent.segmentSize();
        }
        int size = segmentSize;
        if (size == 0) {
            size = anySegment().map(this::readSegmentSize).orElse(0);
            segmentSize = size;
        }
        return size == 0 ? WalFormat.DEFAULT_SEGMENT_SIZE : size;
    }

    /**
     * Reads until {@code target} is full, or the bytes are not there.
     *
     * @return the bytes read
     */
    public int read(long lsn, ByteBuffer target) {
        int total = 0;
        while (target.hasRemaining()) {
            long at = lsn + total;
            int got;
            if (parent != null && Long.compareUnsigned(at, ancestorLsn) < 0) {
                got = readLimited(target, ancestorLsn - at, slice -> parent.read(at, slice));
            } else {
                long offset = Long.remainderUnsigned(at, segmentSize());
                got = readLimited(target, segmentSize() - offset, slice -> readOwn(at, offset, slice));
            }
            if (got == 0) {
                break;
            }
            total += got;
        }
        return total;
    }

    /** The file that holds the whole segment of {@code lsn} with nothing copied in it, if any timeline has it. */
    public Optional<Path> wholeSegment(long lsn) {
        long start = WalFormat.segmentStart(lsn, segmentSize());
        if (parent != null && Long.compareUnsigned(start, ancestorLsn) < 0) {
            // The segment belongs to an ancestor only as long as it ends before this timeline begins.
            return Long.compareUnsigned(start + segmentSize(), ancestorLsn) <= 0
                    ? parent.wholeSegment(lsn)
                    : Optional.empty();
        }
        return ownSegment(lsn);
    }

    /** Makes this timeline's own segments from {@code from} up to {@code to} durable. */
    public void sync(long from, long to) {
        int size = segmentSize();
        long start = Long.compareUnsigned(from, ancestorLsn) < 0 ? ancestorLsn : from;
        for (long at = WalFormat.segmentStart(start, size); Long.compareUnsigned(at, to) < 0; at += size) {
            syncSegment(at);
        }
    }

    /** Overwrites this timeline's own WAL between two positions with zeroes, durably. */
    public void erase(long from, long to) {
        int size = segmentSize();
        long at = from;
        while (Long.compareUnsigned(at, to) < 0) {
            long segmentEnd = WalFormat.segmentStart(at, size) + size;
            long stop = Long.compareUnsigned(to, segmentEnd) < 0 ? to : segmentEnd;
            Path file = ownSegment(at).orElse(null);
            if (file != null) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    ByteBuffer zeroes = ByteBuffer.allocate((int) (stop - at));
                    channel.write(zeroes, Long.remainderUnsigned(at, size));
                    channel.force(false);
                } catch (IOException e) {
                    throw new StorageException("cannot erase WAL in " + file, e);
                }
            }
            at = stop;
        }
    }

    private int readLimited(ByteBuffer target, long limit, java.util.function.ToIntFunction<ByteBuffer> reader) {
        int length = (int) Math.min(target.remaining(), limit);
        ByteBuffer slice = target.slice(target.position(), length);
        int got = reader.applyAsInt(slice);
        target.position(target.position() + got);
        return got;
    }

    private int readOwn(long lsn, long offset, ByteBuffer target) {
        Optional<Path> file = ownSegment(lsn);
        if (file.isEmpty()) {
            return 0;
        }
        try {
            return files.read(file.get(), offset, target);
        } catch (StorageException e) {
            Path moved = movedSince(lsn, file.get()).orElseThrow(() -> e);
            return files.read(moved, offset, target);
        }
    }

    private void syncSegment(long lsn) {
        Path file = ownSegment(lsn).orElse(null);
        if (file == null) {
            return;
        }
        try {
            DurableFiles.syncData(file);
        } catch (IOException e) {
            Path moved = movedSince(lsn, file).orElseThrow(() -> new StorageException("cannot sync " + file, e));
            try {
                DurableFiles.syncData(moved);
            } catch (IOException again) {
                throw new StorageException("cannot sync " + moved, again);
            }
        }
    }

    /** The segment's other name, when Postgres removed it (so it was archived) after the first was looked up. */
    private Optional<Path> movedSince(long lsn, Path before) {
        return ownSegment(lsn).filter(now -> !now.equals(before));
    }

    private Optional<Path> ownSegment(long lsn) {
        String name = WalFormat.segmentName(lsn, segmentSize());
        // Archiving renames from the first to the second, so looking in this order finds it.
        Path live = wal.resolve(name);
        if (Files.exists(live)) {
            return Optional.of(live);
        }
        Path archived = archive.resolve(name);
        return Files.exists(archived) ? Optional.of(archived) : Optional.empty();
    }

    private Optional<Path> anySegment() {
        for (Path directory : new Path[] {wal, archive}) {
            if (Files.isDirectory(directory)) {
                try (Stream<Path> names = Files.list(directory)) {
                    Optional<Path> found = names.filter(p ->
                                    SEGMENT.matcher(p.getFileName().toString()).matches())
                            .sorted()
                            .findFirst();
                    if (found.isPresent()) {
                        return found;
                    }
                } catch (IOException e) {
                    throw new StorageException("cannot list " + directory, e);
                }
            }
        }
        return Optional.empty();
    }

    private int readSegmentSize(Path file) {
        ByteBuffer header = ByteBuffer.allocate(WalFormat.LONG_HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        if (files.read(file, 0, header) < WalFormat.LONG_HEADER_SIZE) {
            throw new StorageException(file + " is too short for a WAL segment");
        }
        int size = header.getInt(SEGMENT_SIZE_OFFSET);
        if (size < 1 << 20 || size > 1 << 30 || Integer.bitCount(size) != 1) {
            throw new StorageException(file + ": a WAL segment size of " + size + " bytes is not possible");
        }
        return size;
    }
}
