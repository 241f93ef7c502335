package dev.coppice.storage;

import dev.coppice.storage.journal.EntryType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.NullUnmarked;

/** What the page service must answer, computed by replaying every visible entry. Slow, and simple enough to trust. */
@NullUnmarked
@SuppressWarnings("ArrayRecordComponent")
final class NaiveTimeline {
    static final int BLOCK = Timeline.BLOCK_SIZE;

    record Entry(
            int epoch, long position, EntryType type, String path, long stamp, long offset, long length, byte[] data) {}

    record Fence(int epoch, long offset, long stamp) {}

    /** A file's size and its blocks that are not zero. */
    static final class File {
        long size;
        final Map<Long, byte[]> blocks = new HashMap<>();

        File copy() {
            File copy = new File();
            copy.size = size;
            copy.blocks.putAll(blocks);
            return copy;
        }
    }

    static final class Image {
        final Map<String, File> files = new HashMap<>();
        final TreeSet<String> directories = new TreeSet<>();
    }

    final NaiveTimeline parent;
    final long ancestorLsn;
    final List<Entry> entries = new ArrayList<>();
    final List<Fence> fences = new ArrayList<>();
    final Map<Integer, Long> startMarks = new HashMap<>();

    NaiveTimeline(NaiveTimeline parent, long ancestorLsn) {
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
    }

    private long effective(Entry entry) {
        long stamp = entry.stamp;
        long floor = startMarks.get(entry.epoch);
        for (Fence fence : fences) {
            if (fence.epoch == entry.epoch) {
                if (entry.position < fence.offset) {
                    stamp = Math.min(stamp, fence.stamp);
                } else {
                    floor = Math.max(floor, fence.stamp + 1);
                }
            }
        }
        return Math.max(stamp, floor);
    }

    /** {@code Long.MAX_VALUE} is the head. */
    Image at(long lsn) {
        Image image = new Image();
        if (parent != null) {
            Image above = parent.at(Math.min(lsn, ancestorLsn));
            above.files.forEach((path, file) -> {
                if (!path.startsWith("pg_replslot/")) {
                    image.files.put(path, file.copy());
                }
            });
            image.directories.addAll(above.directories);
            image.directories.removeIf(path -> path.startsWith("pg_replslot/"));
        }
        for (Entry entry : entries) {
            if (effective(entry) <= lsn) {
                apply(image, entry);
            }
        }
        return image;
    }

    private static void apply(Image image, Entry entry) {
        switch (entry.type) {
            case PAGE -> {
                File file = image.files.computeIfAbsent(entry.path, path -> new File());
                byte[] page = new byte[BLOCK];
                System.arraycopy(entry.data, 0, page, 0, entry.data.length);
                file.blocks.put(entry.offset / BLOCK, page);
                file.size = Math.max(file.size, entry.offset + entry.data.length);
            }
            case ZERO -> {
                File file = image.files.computeIfAbsent(entry.path, path -> new File());
                long end = entry.offset + entry.length;
                file.blocks.keySet().removeIf(b -> b * BLOCK >= entry.offset && b * BLOCK < end);
                file.size = Math.max(file.size, end);
            }
            case EXTEND -> {
                File file = image.files.computeIfAbsent(entry.path, path -> new File());
                file.size = Math.max(file.size, entry.offset);
            }
            case TRUNCATE -> {
                File file = image.files.computeIfAbsent(entry.path, path -> new File());
                file.blocks.keySet().removeIf(b -> b * BLOCK >= entry.offset);
                file.size = entry.offset;
            }
            case CREATE -> image.files.put(entry.path, new File());
            case UNLINK -> image.files.remove(entry.path);
            case PUT -> {
                File file = new File();
                file.size = entry.data.length;
                for (int at = 0; at < entry.data.length; at += BLOCK) {
                    byte[] page = new byte[BLOCK];
                    System.arraycopy(entry.data, at, page, 0, Math.min(BLOCK, entry.data.length - at));
                    file.blocks.put((long) at / BLOCK, page);
                }
                image.files.put(entry.path, file);
            }
            case MKDIR -> image.directories.add(entry.path);
            case RMDIR -> image.directories.remove(entry.path);
            case FENCE -> throw new IllegalArgumentException("fences are kept apart");
        }
    }
}
