package dev.coppice.storage.index;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The newest version of each block of a file; sparse, so one block written far into a file costs one small array. */
final class BlockHeads {
    private static final int CHUNK_BITS = 7;
    private static final int CHUNK = 1 << CHUNK_BITS;

    private int[] @Nullable [] chunks = new int[1][];

    /** The version, or 0. */
    int get(long block) {
        long chunk = block >>> CHUNK_BITS;
        if (chunk >= chunks.length) {
            return 0;
        }
        int @Nullable [] versions = chunks[(int) chunk];
        int slot = (int) (block & (CHUNK - 1));
        return versions == null || slot >= versions.length ? 0 : versions[slot];
    }

    void set(long block, int version) {
        int chunk = (int) (block >>> CHUNK_BITS);
        int slot = (int) (block & (CHUNK - 1));
        if (chunk >= chunks.length) {
            chunks = Arrays.copyOf(chunks, Math.max(chunk + 1, chunks.length * 2));
        }
        int @Nullable [] versions = chunks[chunk];
        if (versions == null) {
            versions = new int[slot == 0 ? 4 : CHUNK];
        } else if (slot >= versions.length) {
            versions = Arrays.copyOf(versions, Math.min(CHUNK, Math.max(slot + 1, versions.length * 4)));
        }
        versions[slot] = version;
        chunks[chunk] = versions;
    }

    /** Every block that has a version, ascending. */
    void forEach(BlockConsumer consumer) {
        for (int chunk = 0; chunk < chunks.length; chunk++) {
            int @Nullable [] versions = chunks[chunk];
            for (int slot = 0; versions != null && slot < versions.length; slot++) {
                if (versions[slot] != 0) {
                    consumer.accept(((long) chunk << CHUNK_BITS) | slot, versions[slot]);
                }
            }
        }
    }

    /** Receives a block and its newest version. */
    interface BlockConsumer {
        void accept(long block, int version);
    }
}
