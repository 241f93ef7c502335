package dev.coppice.storage.layer;

import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.index.FileHistory;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PartDecoder;
import dev.coppice.storage.layer.format.PathOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A decoded index part: some paths with their events and block versions. Immutable. */
final class IndexPart implements LayerCaches.Weighted {
    /** A version takes at least a byte for the block, the stamp and the sequence. */
    private static final int LEAST_VERSION_BYTES = 3;

    private static final int LEAST_EVENT_BYTES = 4;
    private static final int LEAST_FILE_BYTES = 4;

    private final byte[][] paths;
    private final @Nullable FileHistory[] files;
    private final @Nullable FileHistory[] directories;

    /** Of each path, and one beyond the last, the first of its versions. */
    private final int[] firstVersions;

    private final boolean firstContinued;

    private int[] blocks = new int[0];
    private long[] stamps = new long[0];
    private long[] sequences = new long[0];
    private long[] frames = new long[0];

    /** 0 for a zero version. */
    private int[] frameLengths = new int[0];

    private long heapBytes;

    /**
     * Decodes a part whose checksum has been verified.
     *
     * @param framesAt where the part's first frame begins in the layer
     * @param framesLength the bytes of its frames
     */
    IndexPart(PartDecoder in, long framesAt, long framesLength) {
        int count = in.count(LEAST_FILE_BYTES);
        in.require(count > 0);
        paths = new byte[count][];
        files = new FileHistory[count];
        directories = new FileHistory[count];
        firstVersions = new int[count + 1];
        boolean continued = false;
        byte[] before = new byte[0];
        long frame = framesAt;
        for (int i = 0; i < count; i++) {
            byte[] path = in.path(before);
            in.require(i == 0 || PathOrder.compare(before, path) < 0);
            paths[i] = path;
            before = path;
            int flags = in.u8();
            in.require(flags == 0 || (flags == LayerFormat.CONTINUED && i == 0));
            if (flags == LayerFormat.CONTINUED) {
                continued = true;
            } else {
                decodeEvents(in, i);
            }
            frame = decodeVersions(in, i, frame);
        }
        in.require(in.remaining() == 0 && frame == framesAt + framesLength);
        firstContinued = continued;
        int versions = firstVersions[count];
        if (versions < blocks.length) {
            trim(versions);
        }
        heapBytes += 200 + versions * 32L;
    }

    private void decodeEvents(PartDecoder in, int file) {
        int count = in.count(LEAST_EVENT_BYTES);
        long stamp = 0;
        long sequence = 0;
        for (int i = 0; i < count; i++) {
            FileEventKind kind = FileEventKind.ofCode(in.u8());
            if (kind == null) {
                in.require(false);
                return;
            }
            stamp = in.delta(stamp);
            long next = in.delta(sequence);
            in.require(i == 0 || Long.compareUnsigned(sequence, next) < 0);
            sequence = next;
            long size = in.bounded(Long.MAX_VALUE);
            @Nullable FileHistory[] histories = kind.isOfDirectory() ? directories : files;
            FileHistory history = histories[file];
            if (history == null) {
                history = new FileHistory();
                histories[file] = history;
            }
            history.add(kind, sequence, stamp, size);
        }
        heapBytes += 80 + paths[file].length;
        heapBytes += heapBytes(files[file]) + heapBytes(directories[file]);
    }

    private static long heapBytes(@Nullable FileHistory history) {
        return history == null ? 0 : history.heapBytes();
    }

    private long decodeVersions(PartDecoder in, int file, long firstFrame) {
        int count = in.count(LEAST_VERSION_BYTES);
        int at = firstVersions[file];
        reserve(at + count);
        long block = 0;
        long stamp = 0;
        long sequence = 0;
        long frame = firstFrame;
        for (int i = 0; i < count; i++, at++) {
            long head = in.bounded((LayerFormat.MAX_BLOCK << 1) + 1);
            long ahead = head >>> 1;
            block += ahead;
            in.require(block <= LayerFormat.MAX_BLOCK);
            stamp = in.delta(stamp);
            long next = in.delta(sequence);
            in.require(i == 0 || ahead > 0 || Long.compareUnsigned(sequence, next) < 0);
            sequence = next;
            int length = (head & 1) == 1 ? 0 : (int) in.bounded(LayerFormat.FRAME_HEAD + LayerFormat.BLOCK_SIZE);
            in.require((head & 1) == 1 || length > LayerFormat.FRAME_HEAD);
            blocks[at] = (int) block;
            stamps[at] = stamp;
            sequences[at] = sequence;
            frames[at] = frame;
            frameLengths[at] = length;
            frame += length;
        }
        firstVersions[file + 1] = at;
        return frame;
    }

    private void reserve(int size) {
        if (size > blocks.length) {
            trim(Math.max(size, Math.min(blocks.length * 2, LayerFormat.PART_VERSIONS)));
        }
    }

    private void trim(int size) {
        blocks = Arrays.copyOf(blocks, size);
        stamps = Arrays.copyOf(stamps, size);
        sequences = Arrays.copyOf(sequences, size);
        frames = Arrays.copyOf(frames, size);
        frameLengths = Arrays.copyOf(frameLengths, size);
    }

    @Override
    public int heapBytes() {
        return (int) Math.min(heapBytes, Integer.MAX_VALUE);
    }

    int count() {
        return paths.length;
    }

    byte[] path(int file) {
        return paths[file];
    }

    /** Whether the first path's events are in an earlier part. */
    boolean isFirstContinued() {
        return firstContinued;
    }

    /** The place of a path, or -1 less the place where it would be. */
    int find(byte[] path) {
        return Arrays.binarySearch(paths, path, PathOrder::compare);
    }

    @Nullable
    FileHistory file(int file) {
        return files[file];
    }

    @Nullable
    FileHistory directory(int file) {
        return directories[file];
    }

    int firstVersion(int file) {
        return firstVersions[file];
    }

    int endOfVersions(int file) {
        return firstVersions[file + 1];
    }

    /** The first of a file's versions whose block is beyond {@code block}, or the end of its versions. */
    int firstBeyond(int file, long block) {
        int low = firstVersions[file];
        int high = firstVersions[file + 1];
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (blocks[middle] > block) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    long block(int version) {
        return blocks[version];
    }

    long stamp(int version) {
        return stamps[version];
    }

    long sequence(int version) {
        return sequences[version];
    }

    LayerBlock version(LayerReader layer, int version) {
        return new LayerBlock(
                layer,
                frameLengths[version] == 0,
                stamps[version],
                sequences[version],
                frames[version],
                frameLengths[version]);
    }
}
