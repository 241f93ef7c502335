package dev.coppice.storage;

import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.LayerCaches;
import dev.coppice.storage.layer.LayerStore;
import dev.coppice.storage.layer.LocalLayerStore;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What all timelines of one page service share.
 *
 * @param writes how layers and manifests become durable
 */
record StorageResources(
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

    static StorageResources of(Path timelines, StorageConfiguration configuration, FileWrites writes) {
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
    boolean isClosed() {
        return closed.get();
    }
}
