package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.index.OwnFile;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One layer. Immutable and thread-safe; reads nothing before the first question, and keeps what it read in the caches
 * only. Every question takes an LSN, compared unsigned; {@link dev.coppice.storage.index.TimelineIndex#HEAD} sees
 * everything.
 *
 * <p>All methods may throw {@link dev.coppice.storage.ChecksumMismatchException} naming the layer and the byte, and {@link
 * NoSuchLayerException}.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class LayerReader {
    private final LayerDescriptor descriptor;

    /** Reads nothing yet. */
    public LayerReader(LayerStore store, TimelineId timeline, LayerDescriptor descriptor, LayerCaches caches) {
        this.descriptor = descriptor;
    }

    /** Receives pages by their place in the request. */
    @FunctionalInterface
    public interface PageSink {
        /** @param page 8,192 bytes remaining; valid during the call only */
        void page(int i, ByteBuffer page);
    }

    /** What the manifest says of it. */
    public LayerDescriptor descriptor() {
        return descriptor;
    }

    /** What this layer's events say of a file. Compose with older layers by {@link OwnFile#over}. */
    public OwnFile file(String path, long lsn) {
        throw new UnsupportedOperationException();
    }

    /** Whether this layer's events say that a directory is there; empty when they say nothing. */
    public Optional<Boolean> directory(String path, long lsn) {
        throw new UnsupportedOperationException();
    }

    /** Where this layer has a block; null when it says nothing of it. Reads no page. */
    public @Nullable LayerBlock block(String path, long block, long lsn) {
        throw new UnsupportedOperationException();
    }

    /**
     * As {@link #block} for the blocks from {@code firstBlock} on whose place in {@code into} is null; fills the places
     * that it has an answer for.
     *
     * @return how many places are null still
     */
    public int locate(String path, long firstBlock, long lsn, @Nullable LayerBlock[] into) {
        throw new UnsupportedOperationException();
    }

    /**
     * A page, its checksum verified.
     *
     * @param block of this layer, not zero
     * @return 8,192 bytes, not to be changed
     */
    public ByteBuffer readPage(LayerBlock block) {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads the pages {@code from <= i < to} that are of this layer and not zero, close ones together, and delivers them in
     * ascending order of {@code i}.
     */
    public void readPages(@Nullable LayerBlock[] blocks, int from, int to, PageSink sink) {
        throw new UnsupportedOperationException();
    }

    /** Every name in a directory that this layer has events of, here or not as of an LSN; ascending. */
    public Set<String> namesEverIn(String directory) {
        throw new UnsupportedOperationException();
    }

    /** Every directory that this layer has events of; ascending. */
    public Set<String> directoriesEver() {
        throw new UnsupportedOperationException();
    }

    /** All events of a path, ascending by sequence. */
    public List<FileEvent> events(String path) {
        throw new UnsupportedOperationException();
    }

    /** All versions of a block, ascending by sequence; without the cuts. */
    public List<LayerBlock> versions(String path, long block) {
        throw new UnsupportedOperationException();
    }

    /** Everything in order. */
    public LayerCursor cursor() {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads and checks every byte and every order.
     *
     * @return what is wrong, empty when nothing is; each names the layer and the byte
     */
    public List<String> verify() {
        throw new UnsupportedOperationException();
    }
}
