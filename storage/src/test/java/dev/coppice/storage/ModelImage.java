package dev.coppice.storage;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.NullUnmarked;

/** Files and directories of a timeline at one moment, kept in the simplest way. Copied before it is changed. */
@NullUnmarked
final class ModelImage {
    private static final int BLOCK = Timeline.BLOCK_SIZE;

    /** A block's bytes: what a seed makes, zero from {@code length} on. */
    record Content(long seed, int length) {
        byte[] bytes() {
            ByteBuffer bytes = ByteBuffer.allocate(BLOCK);
            for (int i = 0; i < BLOCK; i += Long.BYTES) {
                // Half of it compresses, as real pages do.
                bytes.putLong(i, i % 64 < 32 ? seed : (seed + i) * 0x9E3779B97F4A7C15L);
            }
            byte[] cut = new byte[BLOCK];
            bytes.get(0, cut, 0, length);
            return cut;
        }

        byte[] exactBytes() {
            return java.util.Arrays.copyOf(bytes(), length);
        }
    }

    static final class File {
        long size;
        final Map<Long, Content> blocks = new HashMap<>();

        /** The whole content, where it is not made from seeds; else null. */
        byte[] whole;

        File copy() {
            File copy = new File();
            copy.size = size;
            copy.whole = whole;
            copy.blocks.putAll(blocks);
            return copy;
        }
    }

    final TreeMap<String, File> files = new TreeMap<>();
    final TreeSet<String> directories = new TreeSet<>();

    /** Files are shared with the copy until {@link #change} or {@link #replace}. */
    ModelImage copy() {
        ModelImage copy = new ModelImage();
        copy.files.putAll(files);
        copy.directories.addAll(directories);
        return copy;
    }

    /** The file, made if absent, free to be changed. */
    File change(String path) {
        File old = files.get(path);
        File changed = old == null ? new File() : old.copy();
        files.put(path, changed);
        return changed;
    }

    /** An empty file in the place of whatever was there. */
    File replace(String path) {
        File fresh = new File();
        files.put(path, fresh);
        return fresh;
    }

    void page(String path, long block, Content content) {
        File file = change(path);
        file.blocks.put(block, content);
        file.size = Math.max(file.size, block * BLOCK + content.length());
    }

    void zero(String path, long offset, long length) {
        File file = change(path);
        file.blocks.keySet().removeIf(block -> block * BLOCK >= offset && block * BLOCK < offset + length);
        file.size = Math.max(file.size, offset + length);
    }

    void extend(String path, long size) {
        File file = change(path);
        file.size = Math.max(file.size, size);
    }

    void truncate(String path, long size) {
        File file = change(path);
        file.blocks.keySet().removeIf(block -> block * BLOCK >= size);
        file.size = size;
    }
}
