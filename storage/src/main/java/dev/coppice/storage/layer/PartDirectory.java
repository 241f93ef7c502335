package dev.coppice.storage.layer;

import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PartDecoder;
import dev.coppice.storage.layer.format.PartEncoder;
import dev.coppice.storage.layer.format.PathOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The decoded directory of a layer: where its parts are and what each begins with. Immutable. */
final class PartDirectory implements LayerCaches.Weighted {
    private static final int LEAST_ENTRY_BYTES = 6;

    /** Key of a part that begins with a new path. */
    static final long START = 0;

    private final byte[][] paths;

    /** {@link #START}, or the first block plus 1. */
    private final long[] keys;

    private final long[] offsets;
    private final long[] framesAt;
    private final int[] lengths;
    private final int[] starts;
    private final List<String> directories;
    private final long heapBytes;

    /** Writes a directory. */
    static final class Builder {
        private final PartEncoder entries = new PartEncoder(1024);
        private final TreeSet<byte[]> directories = new TreeSet<>(PathOrder::compare);
        private byte[] before = new byte[0];
        private int count;

        void add(byte[] firstPath, long key, long framesLength, int length, int partStarts) {
            entries.path(firstPath, before);
            entries.varint(key);
            entries.varint(framesLength);
            entries.varint(length);
            entries.varint(partStarts);
            before = firstPath;
            count++;
        }

        void directory(byte[] path) {
            directories.add(path);
        }

        /** The directory without its checksum, whose room is left free at the front. */
        PartEncoder finish() {
            PartEncoder all = new PartEncoder(entries.length() + 1024);
            all.u32(0);
            all.varint(count);
            all.bytes(entries.array(), 0, entries.length());
            all.varint(directories.size());
            byte[] path = new byte[0];
            for (byte[] directory : directories) {
                all.path(directory, path);
                path = directory;
            }
            return all;
        }
    }

    /**
     * Decodes a directory whose checksum has been verified.
     *
     * @param end where the directory itself begins: the last part must end there
     */
    PartDirectory(PartDecoder in, long end) {
        int count = in.count(LEAST_ENTRY_BYTES);
        in.require(count > 0);
        paths = new byte[count][];
        keys = new long[count];
        offsets = new long[count];
        framesAt = new long[count];
        lengths = new int[count];
        starts = new int[count];
        byte[] before = new byte[0];
        long at = LayerFormat.HEADER_SIZE;
        long bytes = 200;
        for (int i = 0; i < count; i++) {
            byte[] path = in.path(before);
            keys[i] = in.bounded(LayerFormat.MAX_BLOCK + 1);
            int order = i == 0 ? -1 : PathOrder.compare(before, path);
            in.require(order < 0 || (order == 0 && keys[i] >= keys[i - 1] && keys[i] != START));
            paths[i] = order == 0 ? before : path;
            before = paths[i];
            framesAt[i] = at;
            offsets[i] = at + in.bounded(end - at);
            lengths[i] = (int) in.bounded(Math.min(end - offsets[i], Integer.MAX_VALUE));
            starts[i] = (int) in.bounded(Integer.MAX_VALUE);
            at = offsets[i] + lengths[i];
            bytes += 50 + (order == 0 ? 0 : path.length + 16L);
        }
        in.require(at == end);
        List<String> found = new ArrayList<>();
        int more = in.count(2);
        byte[] last = new byte[0];
        for (int i = 0; i < more; i++) {
            last = in.path(last);
            found.add(new String(last, java.nio.charset.StandardCharsets.UTF_8));
            bytes += last.length + 60L;
        }
        in.require(in.remaining() == 0);
        directories = List.copyOf(found);
        heapBytes = bytes;
    }

    @Override
    public int heapBytes() {
        return (int) Math.min(heapBytes, Integer.MAX_VALUE);
    }

    int count() {
        return paths.length;
    }

    /** The last part that begins at or before block {@code key - 1} of {@code path}, or at the path; -1 for none. */
    int lastAtOrBefore(byte[] path, long key) {
        int low = 0;
        int high = paths.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            int order = PathOrder.compare(paths[middle], path);
            if (order < 0 || (order == 0 && keys[middle] <= key)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    /** Whether a part goes on with {@code path} at or before block {@code key - 1}. */
    boolean beginsAtOrBefore(int part, byte[] path, long key) {
        return part < paths.length && keys[part] <= key && PathOrder.compare(paths[part], path) == 0;
    }

    /** Whether a part goes on with the last path of the part before. */
    boolean isContinued(int part) {
        return keys[part] != START;
    }

    long offset(int part) {
        return offsets[part];
    }

    int length(int part) {
        return lengths[part];
    }

    long framesAt(int part) {
        return framesAt[part];
    }

    /** How many paths begin in a part. */
    int starts(int part) {
        return starts[part];
    }

    List<String> directories() {
        return directories;
    }
}
