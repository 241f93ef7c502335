package dev.coppice.storage.layer;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Layers and manifests in {@code <timelines>/<id>/layers}. */
@SuppressWarnings("DoNotCallSuggester")
public final class LocalLayerStore implements LayerStore {
    /** @param timelines has a directory for each timeline, made by others */
    public LocalLayerStore(Path timelines, OpenFiles files, FileWrites writes) {}

    @Override
    public Path temporary(TimelineId timeline, String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void put(TimelineId timeline, String name, Path file) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int read(TimelineId timeline, String name, long offset, ByteBuffer target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<String> list(TimelineId timeline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long bytes(TimelineId timeline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void delete(TimelineId timeline, String name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<StoredManifest> manifest(TimelineId timeline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void putManifest(TimelineId timeline, long expectedVersion, byte[] content) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void removeStray(TimelineId timeline) {
        throw new UnsupportedOperationException();
    }
}
