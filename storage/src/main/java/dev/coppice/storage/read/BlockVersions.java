package dev.coppice.storage.read;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.file.PageVersion;
import dev.coppice.storage.file.PageVersion.Kind;
import dev.coppice.storage.file.TimelineFiles;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.index.IndexExport;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layer.FileEvent;
import dev.coppice.storage.layer.LayerBlock;
import dev.coppice.storage.layer.LayerReader;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Collects what one timeline alone has of one block. For one thread. */
public final class BlockVersions implements IndexExport {
    private final TimelineId timeline;
    private final long block;

    /** By sequence, unsigned: what a flush moves meanwhile is met twice and kept once. */
    private final TreeMap<Long, Found> found = new TreeMap<>(Long::compareUnsigned);

    private record Found(long stamp, String where, Kind kind) {}

    private BlockVersions(TimelineId timeline, long block) {
        this.timeline = timeline;
        this.block = block;
    }

    /**
     * What the timeline has, from the newest to the oldest.
     *
     * @param limit only what has this stamp or a lower one; unsigned
     * @param lsn of the read for which it is said what is served; unsigned
     */
    public static List<PageVersion> of(TimelineHistory history, String path, long block, long limit, long lsn) {
        BlockVersions versions = new BlockVersions(history.id(), block);
        history.askTail(tail -> {
            tail.exportBlock(path, block, versions);
            return true;
        });
        for (LayerReader layer : history.layers().newestFirst()) {
            if (layer.descriptor().mayContain(path)) {
                versions.add(layer, path);
            }
        }
        return versions.list(limit, lsn);
    }

    private List<PageVersion> list(long limit, long lsn) {
        found.values().removeIf(version -> Long.compareUnsigned(version.stamp, limit) > 0);
        Long served = found.descendingMap().entrySet().stream()
                .filter(entry -> Long.compareUnsigned(entry.getValue().stamp, lsn) <= 0)
                .map(java.util.Map.Entry::getKey)
                .findFirst()
                .orElse(null);
        return found.descendingMap().entrySet().stream()
                .map(entry -> new PageVersion(
                        timeline,
                        new Lsn(entry.getValue().stamp),
                        entry.getKey(),
                        entry.getValue().where,
                        entry.getValue().kind,
                        entry.getKey().equals(served)))
                .toList();
    }

    private void add(LayerReader layer, String path) {
        String name = layer.descriptor().name();
        for (FileEvent event : layer.events(path)) {
            addEvent(event.kind(), event.stamp(), event.sequence(), event.size(), name);
        }
        for (LayerBlock version : layer.versions(path, block)) {
            addVersion(version.zero() ? Kind.ZERO : Kind.PAGE, version.stamp(), version.sequence(), name);
        }
    }

    private void addEvent(FileEventKind event, long stamp, long sequence, long size, String where) {
        Kind kind = kind(event, size);
        if (kind != null) {
            found.putIfAbsent(sequence, new Found(stamp, where, kind));
        }
    }

    /** A replaced file is a cut and has versions of the same sequence; it stays one replacement. */
    private void addVersion(Kind kind, long stamp, long sequence, String where) {
        found.putIfAbsent(sequence, new Found(stamp, where, kind));
    }

    private @Nullable Kind kind(FileEventKind event, long size) {
        return switch (event) {
            case CREATE -> Kind.CREATE;
            case UNLINK -> Kind.UNLINK;
            case PUT -> Kind.PUT;
            case TRUNCATE -> block * TimelineFiles.BLOCK_SIZE >= size ? Kind.TRUNCATE : null;
            case GROWTH, MKDIR, RMDIR -> null;
        };
    }

    @Override
    public void beginPath(String path) {
        // There is only one.
    }

    @Override
    public void event(FileEventKind kind, long stamp, long sequence, long size) {
        addEvent(kind, stamp, sequence, size, journal(sequence));
    }

    @Override
    public void zero(long block, long stamp, long sequence) {
        addVersion(Kind.ZERO, stamp, sequence, journal(sequence));
    }

    @Override
    public void page(long block, long stamp, long sequence, JournalSegment segment, long position, boolean whole) {
        addVersion(whole ? Kind.PUT : Kind.PAGE, stamp, sequence, journal(sequence));
    }

    private static String journal(long sequence) {
        return String.format(
                Locale.ROOT,
                "journal %d@%d",
                sequence >>> (Long.SIZE - PageVersion.EPOCH_BITS),
                sequence << PageVersion.EPOCH_BITS >>> PageVersion.EPOCH_BITS);
    }
}
