package dev.coppice.storage.layer.store;

import dev.coppice.storage.layer.format.PathOrder;

/**
 * One layer as its manifest lists it. Layers of one run share {@code firstSequence} and {@code lastSequence} and have
 * disjoint path ranges, so together they cost a read no more than one layer.
 *
 * @param name unique in the timeline for ever
 * @param firstSequence no entry of the run has a lower sequence; unsigned
 * @param lastSequence no entry of the run has a higher sequence; unsigned
 * @param firstPath the first path in it
 * @param lastPath the last path in it
 * @param minStamp the lowest effective stamp in it; unsigned
 * @param maxStamp the highest effective stamp in it; unsigned
 * @param bytes of the whole file
 * @param entries block versions and file events
 * @param pages block versions with data
 * @param checksum CRC-32C of the whole file
 */
public record LayerDescriptor(
        String name,
        LayerKind kind,
        long firstSequence,
        long lastSequence,
        String firstPath,
        String lastPath,
        long minStamp,
        long maxStamp,
        long bytes,
        long entries,
        long pages,
        int checksum) {

    /** Whether the path can have anything in this layer. */
    public boolean mayContain(String path) {
        return PathOrder.compare(firstPath, path) <= 0 && PathOrder.compare(path, lastPath) <= 0;
    }
}
