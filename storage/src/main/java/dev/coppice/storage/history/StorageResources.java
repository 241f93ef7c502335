package dev.coppice.storage.history;

import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.boundary.BoundaryDocuments;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.LayerCaches;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.LocalLayerStore;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What all timelines of one page service share.
 *
 * @param writes how layers and manifests become durable
 */
public record StorageResources(
        StorageConfiguration configuration,
        OpenFiles files,
        FileWrites writes,
        LayerStore layers,
        LayerCaches caches,
        Retention retention,
        BoundaryDocuments boundaries,
        BackPressure backPressure,
        AtomicBoolean closed) {
    private static final long MEGABYTE = 1 << 20;

    public static StorageResources of(Path timelines, StorageConfiguration configuration, FileWrites writes) {
        OpenFiles files = new OpenFiles();
        return new StorageResources(
                configuration,
                files,
                writes,
                new LocalLayerStore(timelines, files, writes),
                new LayerCaches(
                        configuration.pageCacheMegabytes() * MEGABYTE, configuration.indexCacheMegabytes() * MEGABYTE),
                new Retention(),
                new BoundaryDocuments(timelines),
                new BackPressure(configuration),
                new AtomicBoolean());
    }

    /** Whether the page service closes: long work stops. */
    public boolean isClosed() {
        return closed.get();
    }
}
