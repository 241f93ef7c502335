package dev.coppice.storage.layer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/** What was read of all layers of all timelines: decoded pages and decoded index parts, each bounded in bytes. */
public final class LayerCaches {
    /** A map's share of an entry, about. */
    private static final int ENTRY_BYTES = 120;

    /** Pages missed lately that are remembered. */
    private static final int MISSED = 1 << 13;

    /** Null when pages are not kept. */
    private final @Nullable Cache<Key, byte[]> pages;

    private final Cache<Key, Weighted> parts;
    private final AtomicLong readers = new AtomicLong();

    /**
     * A page is kept when it is missed again soon after it was missed: keeping one costs as much as reading it, and most
     * are read once, since computes keep what they have.
     */
    private final AtomicLongArray missed = new AtomicLongArray(MISSED);

    /** Something of known size. */
    interface Weighted {
        int heapBytes();
    }

    /** @param place a frame's offset or a part's number */
    private record Key(long reader, long place) {
        static long mix(long reader, long place) {
            return (reader * 0x9E37_79B9_7F4A_7C15L + place) * 0xBF58_476D_1CE4_E5B9L;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(mix(reader, place));
        }
    }

    /**
     * Empty caches.
     *
     * @param pageBytes the most bytes of decoded pages; 0 = none is kept
     * @param indexBytes the most bytes of decoded index parts
     */
    public LayerCaches(long pageBytes, long indexBytes) {
        pages = pageBytes == 0
                ? null
                : Caffeine.newBuilder()
                        .maximumWeight(pageBytes)
                        .weigher((Key key, byte[] page) -> page.length + ENTRY_BYTES)
                        .executor(Runnable::run)
                        .build();
        parts = Caffeine.newBuilder()
                .maximumWeight(indexBytes)
                .weigher((Key key, Weighted part) -> part.heapBytes() + ENTRY_BYTES)
                .executor(Runnable::run)
                .build();
    }

    /** Bytes of decoded pages held now, about. */
    public long pageBytes() {
        return pages == null
                ? 0
                : pages.policy().eviction().orElseThrow().weightedSize().orElse(0);
    }

    /** Bytes of decoded index parts held now, about. */
    public long indexBytes() {
        return parts.policy().eviction().orElseThrow().weightedSize().orElse(0);
    }

    /** Names a reader in the caches; never used twice. */
    long newReader() {
        return readers.incrementAndGet();
    }

    byte @Nullable [] page(long reader, long frame) {
        return pages == null ? null : pages.getIfPresent(new Key(reader, frame));
    }

    /** Says of a page that was not found whether it should be kept now. */
    boolean wantsPage(long reader, long frame) {
        if (pages == null) {
            return false;
        }
        long name = Key.mix(reader, frame);
        int slot = (int) (name >>> 32) & (MISSED - 1);
        if (missed.getPlain(slot) == name) {
            return true;
        }
        missed.setPlain(slot, name);
        return false;
    }

    void keepPage(long reader, long frame, byte[] page) {
        if (pages != null) {
            pages.put(new Key(reader, frame), page);
        }
    }

    @Nullable
    Weighted part(long reader, long part) {
        return parts.getIfPresent(new Key(reader, part));
    }

    void keepPart(long reader, long part, Weighted decoded) {
        parts.put(new Key(reader, part), decoded);
    }
}
