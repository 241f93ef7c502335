package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.io.FileWrites;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Writes one run of layers, streaming: paths ascending in {@link PathOrder}, then a path's events ascending by sequence,
 * then its block versions ascending by block and sequence. Begins another file between two paths when the present one is
 * large. Nothing is visible before {@link #finish}. For one thread.
 *
 * <p>Memory: one index part and a few bytes for each part written, whatever the layer's size.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class LayerWriter implements AutoCloseable {
    /**
     * Writes nothing yet.
     *
     * @param firstSequence no entry has a lower sequence; with {@code lastSequence} it identifies the run
     * @param lastSequence no entry has a higher one
     */
    public LayerWriter(
            LayerStore store,
            TimelineId timeline,
            LayerKind kind,
            long firstSequence,
            long lastSequence,
            FileWrites writes) {}

    /** Begins the next path. One without events and versions is left out. */
    public void beginFile(String path) {
        throw new UnsupportedOperationException();
    }

    /** Adds an event; before the path's block versions. */
    public void event(FileEventKind kind, long stamp, long sequence, long size) {
        throw new UnsupportedOperationException();
    }

    /** Adds a block version; {@code page} has 1 to 8,192 bytes remaining, which are consumed; zeroes follow them. */
    public void page(long block, long stamp, long sequence, ByteBuffer page) {
        throw new UnsupportedOperationException();
    }

    /** Adds a version that is zero. */
    public void zero(long block, long stamp, long sequence) {
        throw new UnsupportedOperationException();
    }

    /**
     * Stores the layers; durable when this returns.
     *
     * @return for the manifest, ascending by path; empty when nothing was added
     */
    public List<LayerDescriptor> finish() {
        throw new UnsupportedOperationException();
    }

    /** Takes back what was not finished; afterwards nothing of it is left. */
    @Override
    public void close() {}
}
