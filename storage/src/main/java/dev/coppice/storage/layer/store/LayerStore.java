package dev.coppice.storage.layer.store;

import dev.coppice.common.TimelineId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where layers and manifests are kept: a local directory, later an object store. Layers are written whole, never changed,
 * and read by range; a manifest is replaced by compare-and-set on its version. Thread-safe.
 *
 * <p>A timeline that was never put anything into costs nothing. All methods may throw {@link
 * dev.coppice.storage.fault.StorageException}.
 */
public interface LayerStore {
    /** A manifest's bytes with the version under which they are stored. */
    @SuppressWarnings("ArrayRecordComponent")
    record StoredManifest(long version, byte[] content) {}

    /** A path, not there yet, for preparing a file that {@link #put} takes cheaply. */
    Path temporary(TimelineId timeline, String name);

    /**
     * Stores a whole layer; durable and visible when this returns, absent when it throws.
     *
     * @param name must not exist
     * @param file is taken: it is gone afterwards, also when this throws
     */
    void put(TimelineId timeline, String name, Path file);

    /**
     * Reads from byte {@code offset} until {@code target} is full or the layer ends.
     *
     * @return the bytes read
     * @throws NoSuchLayerException when there is no such layer, perhaps no longer
     */
    int read(TimelineId timeline, String name, long offset, ByteBuffer target);

    /** Reads one layer's bytes, as {@link LayerStore#read}. */
    @FunctionalInterface
    interface LayerBytes {
        /** Reads from byte {@code offset} until {@code target} is full or the layer ends; returns the bytes read. */
        int read(long offset, ByteBuffer target);
    }

    /** {@link #read} of one layer, for many reads; touches nothing yet, also when there is no such layer. */
    default LayerBytes bytes(TimelineId timeline, String name) {
        return (offset, target) -> read(timeline, name, offset, target);
    }

    /** The layers there are, whether a manifest lists them or not; ascending. */
    List<String> list(TimelineId timeline);

    /** Bytes that the timeline's layers and manifests occupy. */
    long storedBytes(TimelineId timeline);

    /** Deletes a layer; a missing one is fine. */
    void delete(TimelineId timeline, String name);

    /** The newest manifest; empty when there never was one. */
    Optional<StoredManifest> manifest(TimelineId timeline);

    /**
     * Stores version {@code expectedVersion + 1}; durable when this returns.
     *
     * @param expectedVersion the newest stored version, 0 for none
     * @throws ManifestConflictException when another version is the newest: somebody else writes this timeline
     */
    void putManifest(TimelineId timeline, long expectedVersion, byte[] content);

    /** Removes what a crash left half-done. Only while nobody writes the timeline. */
    void removeStray(TimelineId timeline);
}
