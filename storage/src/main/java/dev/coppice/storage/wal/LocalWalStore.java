package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DiskUse;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.io.UntrustedDirectory;
import dev.coppice.storage.io.UntrustedFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * WAL in local directories: {@code wal/}, which is the compute's {@code pg_wal}, then {@code wal-finished/}, to where the compute
 * renames what it is done with, then {@code wal-archive/}, which no compute reaches. A timeline's own
 * file for the segment that holds the ancestor LSN begins with a copied part; that part is never read here.
 *
 * <p>What the archive has counts before what a compute has under the same name: archived history is not changed any more.
 */
public final class LocalWalStore implements WalStore {
    private static final int SEGMENT_SIZE_OFFSET = 32;

    /** How often a segment that cannot be read is looked for, when it is found under the same name again. */
    private static final int READ_TRIES = 3;

    private static final Logger log = LoggerFactory.getLogger(LocalWalStore.class);

    private final Path wal;
    private final Path finished;
    private final WalArchive archive;
    private final @Nullable WalSource parent;
    private final long ancestorLsn;
    private final OpenFiles files;
    private volatile int segmentSize;

    /** As the next, with {@code wal-finished/} beside {@code wal/}. */
    public LocalWalStore(Path wal, Path archive, @Nullable WalSource parent, long ancestorLsn, OpenFiles files) {
        this(wal, wal.resolveSibling(wal.getFileName() + "-finished"), archive, parent, ancestorLsn, files);
    }

    /** @param parent the WAL below {@code ancestorLsn}; null for a root, whose ancestor LSN is 0 */
    public LocalWalStore(
            Path wal, Path finished, Path archive, @Nullable WalSource parent, long ancestorLsn, OpenFiles files) {
        this.wal = wal;
        this.finished = finished;
        this.archive = new WalArchive(archive, files);
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
        this.files = files;
    }

    /** From the first page of any segment of the root. */
    @Override
    public int segmentSize() {
        int size = segmentSize;
        if (size == 0) {
            LocalWalStore root = this;
            while (root.parent instanceof LocalWalStore above) {
                root = above;
            }
            WalSource elsewhere = root.parent;
            if (elsewhere != null) {
                return elsewhere.segmentSize();
            }
            size = root.anySegmentSize();
            segmentSize = size;
        }
        return size == 0 ? WalFormat.DEFAULT_SEGMENT_SIZE : size;
    }

    @Override
    public int read(long lsn, ByteBuffer target) {
        int total = 0;
        while (target.hasRemaining()) {
            int got = readFromOwner(lsn + total, target);
            if (got == 0) {
                break;
            }
            total += got;
        }
        return total;
    }

    /** Reads what one timeline of the chain, or one segment, has from a position on. */
    private int readFromOwner(long at, ByteBuffer target) {
        LocalWalStore owner = this;
        long limit = target.remaining();
        while (owner.parent != null && Lsn.isBefore(at, owner.ancestorLsn)) {
            limit = Lsn.min(limit, owner.ancestorLsn - at);
            if (!(owner.parent instanceof LocalWalStore above)) {
                WalSource elsewhere = owner.parent;
                return readLimited(target, limit, slice -> elsewhere.read(at, slice));
            }
            owner = above;
        }
        LocalWalStore found = owner;
        long offset = Long.remainderUnsigned(at, segmentSize());
        return readLimited(target, Lsn.min(limit, segmentSize() - offset), slice -> found.readOwn(at, offset, slice));
    }

    @Override
    public void sync(long from, long to) {
        int size = segmentSize();
        long start = Lsn.max(from, ancestorLsn);
        for (long at = WalFormat.segmentStart(start, size); Lsn.isBefore(at, to); at += size) {
            syncSegment(at);
        }
    }

    @Override
    public void erase(long from, long to) {
        int size = segmentSize();
        long at = from;
        while (Lsn.isBefore(at, to)) {
            long segmentEnd = WalFormat.segmentStart(at, size) + size;
            long stop = Lsn.min(to, segmentEnd);
            Path file = plainSegment(at);
            if (file != null) {
                try (UntrustedDirectory directory = UntrustedDirectory.open(parentOf(file));
                        FileChannel channel = directory.write(nameOf(file))) {
                    ByteBuffer zeroes = ByteBuffer.allocate((int) (stop - at));
                    long offset = Long.remainderUnsigned(at, size);
                    // A write can be short: what is left behind it would be replayed.
                    while (zeroes.hasRemaining()) {
                        channel.write(zeroes, offset + zeroes.position());
                    }
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
        int start = target.position();
        for (int tries = 1; file.isPresent(); tries++) {
            try {
                return readFile(file.get(), offset, target);
            } catch (StorageException e) {
                Optional<Path> now = ownSegment(lsn);
                // The same name may be another file by now: compressed, made plain to be erased, and compressed again.
                if (now.isEmpty() || (now.equals(file) && tries >= READ_TRIES)) {
                    throw e;
                }
                file = now;
                target.position(start);
            }
        }
        return 0;
    }

    private int readFile(Path file, long offset, ByteBuffer target) {
        return WalArchive.isCompressed(file)
                ? CompressedSegment.open(files, file).read(offset, target)
                : files.read(file, offset, target);
    }

    private void syncSegment(long lsn) {
        Path file = ownSegment(lsn).orElse(null);
        if (file == null || WalArchive.isCompressed(file)) {
            return;
        }
        try {
            syncData(file);
        } catch (IOException e) {
            Path moved = movedSince(lsn, file).orElseThrow(() -> new StorageException("cannot sync " + file, e));
            if (WalArchive.isCompressed(moved)) {
                return;
            }
            try {
                syncData(moved);
            } catch (IOException again) {
                throw new StorageException("cannot sync " + moved, again);
            }
        }
    }

    private static void syncData(Path file) throws IOException {
        try (UntrustedDirectory directory = UntrustedDirectory.open(parentOf(file));
                FileChannel channel = directory.read(nameOf(file))) {
            channel.force(false);
        }
    }

    private static Path parentOf(Path file) {
        return Objects.requireNonNull(file.getParent());
    }

    private static String nameOf(Path file) {
        return String.valueOf(file.getFileName());
    }

    /** The segment's other name, when it was archived or compressed after the first was looked up. */
    private Optional<Path> movedSince(long lsn, Path before) {
        return ownSegment(lsn).filter(now -> !now.equals(before));
    }

    private Optional<Path> ownSegment(long lsn) {
        String name = WalFormat.segmentName(lsn, segmentSize());
        Path plain = archive.plain(name);
        Path compressed = archive.compressed(name);
        // The archive first. Otherwise it may be on its way there: a compute renames it from the first to the second,
        // the server to
        // the third, and the fourth is there before the third goes. To be erased it becomes plain again, so look there
        // once more.
        for (Path candidate : List.of(
                plain, compressed, wal.resolve(name), finished.resolve(name), plain, compressed, plain, compressed)) {
            if (Files.exists(candidate, LinkOption.NOFOLLOW_LINKS)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** A file that can be written to. */
    private @Nullable Path plainSegment(long lsn) {
        Path file = ownSegment(lsn).orElse(null);
        if (file == null || !WalArchive.isCompressed(file)) {
            return file;
        }
        String name = WalFormat.segmentName(lsn, segmentSize());
        try {
            archive.inflate(name, segmentSize());
        } catch (IOException e) {
            throw new StorageException("cannot decompress " + file, e);
        }
        return archive.plain(name);
    }

    @Override
    public Compression compressCold(Instant notWrittenSince, int most) {
        collectFinished();
        return archive.compress(segmentSize(), ancestorLsn, notWrittenSince, most);
    }

    @Override
    public long deleteOutside(List<LsnRange> needed) {
        collectFinished();
        int size = segmentSize();
        return archive.delete(
                size,
                start -> Long.compareUnsigned(start + size, ancestorLsn) <= 0
                        || needed.stream().noneMatch(range -> range.touches(start, start + size)));
    }

    /**
     * Moves what the compute is done with to where it cannot reach it any more. What is no segment stays where it is, and so does one that
     * the archive has already.
     */
    @Override
    public void collectFinished() {
        try (UntrustedDirectory directory = UntrustedDirectory.open(finished)) {
            for (String name :
                    directory.list(each -> WalArchive.SEGMENT.matcher(each).matches())) {
                try {
                    archive.collect(directory, name, segmentSize());
                } catch (UntrustedFileException e) {
                    log.warn("Not archived: {}", e.getMessage());
                }
                files.forget(finished.resolve(name));
            }
        } catch (NoSuchFileException e) {
            // No compute has run on it.
        } catch (IOException e) {
            throw new StorageException("cannot archive the WAL segments in " + finished, e);
        }
    }

    @Override
    public Map<String, String> damagedSegments() {
        return archive.damaged(segmentSize());
    }

    @Override
    public WalSize size() {
        long plain = 0;
        long compressed = 0;
        for (Path file : archive.list(WalArchive::isSegment)) {
            if (WalArchive.isCompressed(file)) {
                compressed += ownBytes(file);
            } else {
                plain += ownBytes(file);
            }
        }
        long live = 0;
        for (Path directory : List.of(wal, finished)) {
            for (Path file : new WalArchive(directory, files).list(WalArchive::isSegment)) {
                live += ownBytes(file);
            }
        }
        return new WalSize(live, plain, compressed);
    }

    private long ownBytes(Path file) {
        DiskUse use = DiskUse.of(file);
        long end = WalFormat.segmentOf(file.getFileName().toString(), segmentSize()) + segmentSize();
        boolean ancestors = Long.compareUnsigned(end, ancestorLsn) <= 0;
        return ancestors && use.links() > 1 ? 0 : use.bytes();
    }

    /** As the first segment says that says it; 0 when there is none. */
    private int anySegmentSize() {
        List<Path> all = new ArrayList<>(archive.list(WalArchive::isSegment));
        all.addAll(new WalArchive(wal, files).list(WalArchive::isSegment));
        StorageException failure = null;
        for (Path file : all) {
            try {
                return readSegmentSize(file);
            } catch (StorageException e) {
                // Anything may lie among what is a compute's.
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
        return 0;
    }

    private int readSegmentSize(Path file) {
        ByteBuffer header = ByteBuffer.allocate(WalFormat.LONG_HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        if (readFile(file, 0, header) < WalFormat.LONG_HEADER_SIZE) {
            throw new StorageException(file + " is too short for a WAL segment");
        }
        int size = header.getInt(SEGMENT_SIZE_OFFSET);
        if (size < 1 << 20 || size > 1 << 30 || Integer.bitCount(size) != 1) {
            throw new StorageException(file + ": a WAL segment size of " + size + " bytes is not possible");
        }
        return size;
    }
}
