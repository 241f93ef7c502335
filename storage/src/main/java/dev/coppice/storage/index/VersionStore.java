package dev.coppice.storage.index;

import java.util.Arrays;

/**
 * Every block version of a timeline, 20 bytes each, in chunks of primitive arrays. A version is named by its number from
 * 1; 0 is "none". Versions of one block form a chain from the newest in journal order to the oldest.
 */
final class VersionStore {
    private static final int CHUNK_BITS = 12;
    private static final int CHUNK = 1 << CHUNK_BITS;

    private long[][] refs = new long[0][];
    private long[][] stamps = new long[0][];
    private int[][] previous = new int[0][];
    private int count = 1;

    /** Adds a version in front of {@code older} (0 for none). */
    int add(long ref, long stamp, int older) {
        int chunk = count >>> CHUNK_BITS;
        int slot = count & (CHUNK - 1);
        if (chunk == refs.length || refs[chunk] == null) {
            addChunk(chunk);
        }
        if (slot == refs[chunk].length) {
            grow(chunk);
        }
        refs[chunk][slot] = ref;
        stamps[chunk][slot] = stamp;
        previous[chunk][slot] = older;
        return count++;
    }

    int count() {
        return count - 1;
    }

    long ref(int version) {
        return refs[version >>> CHUNK_BITS][version & (CHUNK - 1)];
    }

    /** As written in the journal. */
    long rawStamp(int version) {
        return stamps[version >>> CHUNK_BITS][version & (CHUNK - 1)];
    }

    int older(int version) {
        return previous[version >>> CHUNK_BITS][version & (CHUNK - 1)];
    }

    private void addChunk(int chunk) {
        if (chunk == refs.length) {
            int size = Math.max(4, chunk * 2);
            refs = Arrays.copyOf(refs, size);
            stamps = Arrays.copyOf(stamps, size);
            previous = Arrays.copyOf(previous, size);
        }
        // The first chunk grows from small: most branches write little.
        int size = chunk == 0 ? 64 : CHUNK;
        refs[chunk] = new long[size];
        stamps[chunk] = new long[size];
        previous[chunk] = new int[size];
    }

    private void grow(int chunk) {
        int size = refs[chunk].length * 2;
        refs[chunk] = Arrays.copyOf(refs[chunk], size);
        stamps[chunk] = Arrays.copyOf(stamps[chunk], size);
        previous[chunk] = Arrays.copyOf(previous[chunk], size);
    }
}
