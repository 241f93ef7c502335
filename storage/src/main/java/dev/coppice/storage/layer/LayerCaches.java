package dev.coppice.storage.layer;

/** stub */
public final class LayerCaches {
    /**
     * Empty caches.
     *
     * @param pageBytes the most bytes of decoded pages
     * @param indexBytes the most bytes of decoded index parts
     */
    public LayerCaches(long pageBytes, long indexBytes) {}
}
