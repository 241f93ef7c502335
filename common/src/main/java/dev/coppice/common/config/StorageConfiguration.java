package dev.coppice.common.config;

import static dev.coppice.common.config.InvalidSettingException.requireRange;

/**
 * The page service: what it keeps in memory, and when it reorganises what is on disk. Section {@code storage} of the file.
 *
 * @param pageCacheMegabytes decoded pages of layers, of all timelines together
 * @param indexCacheMegabytes parts of layers' indexes, of all timelines together
 * @param flushJournalMegabytes journal of one timeline that is indexed in memory before it becomes a layer
 * @param maxUnflushedMegabytes journal of one timeline that may wait for its flush; from half of it on writers are slowed down.
 *     Less than four times {@code flushJournalMegabytes} counts as that
 * @param maxIndexMegabytes memory for the index of what waits for a flush, all timelines together; 0 = a quarter of the heap
 * @param flushEpochs starts of a compute whose journals wait for the next layer before one is made
 * @param compactionLayers layers of about the same size that are merged into one
 * @param garbageCollectionIntervalSeconds between two looks for history that nobody can see any more
 * @param idleTimelineSeconds without use until a timeline's index leaves the memory
 * @param compressWalAfterSeconds age at which an archived WAL segment is compressed
 */
public record StorageConfiguration(
        int pageCacheMegabytes,
        int indexCacheMegabytes,
        int flushJournalMegabytes,
        int maxUnflushedMegabytes,
        int maxIndexMegabytes,
        int flushEpochs,
        int compactionLayers,
        int garbageCollectionIntervalSeconds,
        int idleTimelineSeconds,
        int compressWalAfterSeconds) {
    /** What holds where the file says nothing. */
    public static final StorageConfiguration DEFAULTS =
            new StorageConfiguration(64, 64, 64, 1_024, 0, 16, 4, 300, 600, 300);

    /** With the default limits of what waits for a flush. */
    public StorageConfiguration(
            int pageCacheMegabytes,
            int indexCacheMegabytes,
            int flushJournalMegabytes,
            int flushEpochs,
            int compactionLayers,
            int garbageCollectionIntervalSeconds,
            int idleTimelineSeconds,
            int compressWalAfterSeconds) {
        this(
                pageCacheMegabytes,
                indexCacheMegabytes,
                flushJournalMegabytes,
                1_024,
                0,
                flushEpochs,
                compactionLayers,
                garbageCollectionIntervalSeconds,
                idleTimelineSeconds,
                compressWalAfterSeconds);
    }

    /** Checks ranges. */
    public StorageConfiguration {
        requireRange("storage.page_cache_megabytes", pageCacheMegabytes, 1, 1_048_576, "megabytes");
        requireRange("storage.index_cache_megabytes", indexCacheMegabytes, 1, 1_048_576, "megabytes");
        requireRange("storage.flush_journal_megabytes", flushJournalMegabytes, 1, 65_536, "megabytes");
        requireRange("storage.max_unflushed_megabytes", maxUnflushedMegabytes, 4, 1_048_576, "megabytes");
        requireRange("storage.max_index_megabytes", maxIndexMegabytes, 0, 1_048_576, "megabytes");
        requireRange("storage.flush_epochs", flushEpochs, 1, 10_000, "epochs");
        requireRange("storage.compaction_layers", compactionLayers, 2, 16, "layers");
        requireRange(
                "storage.garbage_collection_interval_seconds", garbageCollectionIntervalSeconds, 1, 86_400, "seconds");
        requireRange("storage.idle_timeline_seconds", idleTimelineSeconds, 1, 86_400, "seconds");
        requireRange("storage.compress_wal_after_seconds", compressWalAfterSeconds, 1, 86_400, "seconds");
    }
}
