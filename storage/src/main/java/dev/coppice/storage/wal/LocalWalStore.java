package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import dev.coppice.storage.StorageException;
import dev.coppice.storage.io.DiskUse;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * WAL in local directories: {@code wal/}, which is the compute's {@code pg_wal}, then {@code wal-archive/}. A timeline's own
 * file for the segment that holds the ancestor LSN begins with a copied part; that part is never read here.
 */
public final class LocalWalStore implements WalStore {
    private static final int SEGMENT_SIZE_OFFSET = 32;

    /** How often a segment that cannot be read is looked for, when it is found under the same name again. */
    private static final int READ_TRIES = 3;

    private final Path wal;
    private final WalArchive archive;
    private final @Nullable WalSource parent;
    private final long ancestorLsn;
    private final OpenFiles files;
    private volatile int segmentSize;

    /** @param parent the WAL below {@code ancestorLsn}; null for a root, whose ancestor LSN is 0 */
    public LocalWalStore(Path wal, Path archive, @Nullable WalSource parent, long ancestorLsn, OpenFiles files) {
        this.wal = wal;
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
            size = root.anySegment().map(root::readSegmentSize).orElse(0);
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
    public Optional<Path> wholeSegment(long lsn) {
        long start = WalFormat.segmentStart(lsn, segmentSize());
        LocalWalStore owner = this;
        while (owner.parent != null && Lsn.isBefore(start, owner.ancestorLsn)) {
            // The segment belongs to an ancestor only as long as it ends before the timeline below begins.
            if (Lsn.isBefore(owner.ancestorLsn, start + segmentSize())) {
                return Optional.empty();
            }
            if (!(owner.parent instanceof LocalWalStore above)) {
                return owner.parent.wholeSegment(lsn);
            }
            owner = above;
        }
        return owner.ownSegment(lsn).filter(file -> !WalArchive.isCompressed(file));
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
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
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
            DurableFiles.syncData(file);
        } catch (IOException e) {
            Path moved = movedSince(lsn, file).orElseThrow(() -> new StorageException("cannot sync " + file, e));
            if (WalArchive.isCompressed(moved)) {
                return;
            }
            try {
                DurableFiles.syncData(moved);
            } catch (IOException again) {
                throw new StorageException("cannot sync " + moved, again);
            }
        }
    }

    /** The segment's other name, when it was archived or compressed after the first was looked up. */
    private Optional<Path> movedSince(long lsn, Path before) {
        return ownSegment(lsn).filter(now -> !now.equals(before));
    }

    private Optional<Path> ownSegment(long lsn) {
        String name = WalFormat.segmentName(lsn, segmentSize());
        // Archiving renames from the first to the second, and the third is there before the second goes: looking in
        // this
        // order finds it. To be erased it becomes plain again, so look there once more.
        Path plain = archive.plain(name);
        Path compressed = archive.compressed(name);
        for (Path candidate : List.of(wal.resolve(name), plain, compressed, plain, compressed)) {
            if (Files.exists(candidate)) {
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
        return archive.compress(segmentSize(), ancestorLsn, notWrittenSince, most);
    }

    @Override
    public long deleteOutside(List<LsnRange> needed) {
        int size = segmentSize();
        return archive.delete(
                size,
                start -> Long.compareUnsigned(start + size, ancestorLsn) <= 0
                        || needed.stream().noneMatch(range -> range.touches(start, start + size)));
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
        for (Path file : new WalArchive(wal, files).list(WalArchive::isSegment)) {
            live += ownBytes(file);
        }
        return new WalSize(live, plain, compressed);
    }

    private long ownBytes(Path file) {
        DiskUse use = DiskUse.of(file);
        long end = WalFormat.segmentOf(file.getFileName().toString(), segmentSize()) + segmentSize();
        boolean ancestors = Long.compareUnsigned(end, ancestorLsn) <= 0;
        return ancestors && use.links() > 1 ? 0 : use.bytes();
    }

    private Optional<Path> anySegment() {
        List<Path> live = new WalArchive(wal, files).list(WalArchive::isSegment);
        return live.isEmpty() ? archive.list(WalArchive::isSegment).stream().findFirst() : Optional.of(live.getFirst());
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
