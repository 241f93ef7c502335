package dev.coppice.storage.upkeep;

/**
 * What a timeline holds, in bytes. Sizes on disk are allocated blocks, not lengths.
 *
 * @param logicalBytes the files of its head, as a Postgres without branches would have them
 * @param layerBytes its layers and manifest
 * @param journalBytes its journal that is in no layer yet
 * @param walBytes the compute's {@code pg_wal}
 * @param walArchiveBytes WAL kept for history
 * @param localCacheBytes the compute's local files, which can be thrown away at any time
 */
public record TimelineSize(
        long logicalBytes,
        long layerBytes,
        long journalBytes,
        long walBytes,
        long walArchiveBytes,
        long localCacheBytes) {
    /** What deleting the timeline would give back, without the cache. */
    public long ownBytes() {
        return layerBytes + journalBytes + walBytes + walArchiveBytes;
    }

    /** What it reads from its ancestors, at most: the part of the logical size that its own pages cannot hold. */
    public long sharedBytes() {
        return Math.max(0, logicalBytes - layerBytes - journalBytes);
    }
}
