package dev.coppice.storage.layer;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Walks a layer in order: {@code while (nextFile()) { path(); events(); while (nextVersion()) ... }}. For one thread; holds
 * a bounded read buffer, and does not fill the caches.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class LayerCursor {
    LayerCursor() {}

    /** Moves to the next path, whatever of the present one was not walked. */
    public boolean nextFile() {
        throw new UnsupportedOperationException();
    }

    /** The present path. */
    public String path() {
        throw new UnsupportedOperationException();
    }

    /** The present path's events, ascending by sequence. */
    public List<FileEvent> events() {
        throw new UnsupportedOperationException();
    }

    /** Moves to the next block version of the path, ascending by block and sequence. */
    public boolean nextVersion() {
        throw new UnsupportedOperationException();
    }

    /** The present version's block. */
    public long block() {
        throw new UnsupportedOperationException();
    }

    /** The present version; its page is read by {@link #page}. */
    public LayerBlock version() {
        throw new UnsupportedOperationException();
    }

    /** The page of a version of this layer, its checksum verified; valid until the next call. */
    public ByteBuffer page(LayerBlock version) {
        throw new UnsupportedOperationException();
    }
}
