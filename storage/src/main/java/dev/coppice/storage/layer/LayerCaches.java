package dev.coppice.storage.layer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What was read of all layers of all timelines: decoded pages and decoded index parts, each bounded in bytes. */
public final class LayerCaches {
    /** A map's share of an entry, about. */
    private static final int ENTRY_BYTES = 120;

    private final Cache<Key, byte[]> pages;
    private final Cache<Key, Weighted> parts;
    private final AtomicLong readers = new AtomicLong();

    /** Something of known size. */
    interface Weighted {
        int heapBytes();
    }

    /** @param place a frame's offset or a part's number */
    private record Key(long reader, long place) {
        @Override
        public int hashCode() {
            return Long.hashCode((reader * 0x9E37_79B9_7F4A_7C15L + place) * 0xBF58_476D_1CE4_E5B9L);
        }
    }

    /**
     * Empty caches.
     *
     * @param pageBytes the most bytes of decoded pages
     * @param indexBytes the most bytes of decoded index parts
     */
    public LayerCaches(long pageBytes, long indexBytes) {
        pages = Caffeine.newBuilder()
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
        return pages.policy().eviction().orElseThrow().weightedSize().orElse(0);
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
        return pages.getIfPresent(new Key(reader, frame));
    }

    void keepPage(long reader, long frame, byte[] page) {
        pages.put(new Key(reader, frame), page);
    }

    @Nullable
    Weighted part(long reader, long part) {
        return parts.getIfPresent(new Key(reader, part));
    }

    void keepPart(long reader, long part, Weighted decoded) {
        parts.put(new Key(reader, part), decoded);
    }
}
