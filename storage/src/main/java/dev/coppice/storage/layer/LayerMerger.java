package dev.coppice.storage.layer;

import dev.coppice.storage.layer.format.FrameCodec;
import dev.coppice.storage.layer.format.LayerFormat;
import dev.coppice.storage.layer.format.PathOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes one run of layers out of several that are adjacent in sequence, without what no retained point can see.
 *
 * <p>A block version with stamp s is what an LSN X sees exactly when s <= X < m, m being the lowest stamp of what comes
 * after it for its block: later versions, and cuts that take the block away. It goes when no retained point lies in
 * between. {@link EventFilter} treats events alike. Pages are copied as they are compressed.
 *
 * <p>Memory: one index part of each layer, the events of one path, and what is known of the versions of one block.
 */
public final class LayerMerger {
    private final RetainedPoints retained;
    private final Predicate<String> nothingBelow;
    private final LayerWriter into;
    private final List<Source> sources = new ArrayList<>();
    private final byte[] frame = new byte[LayerFormat.FRAME_HEAD + FrameCodec.MAX_COMPRESSED];
    /** The block being merged. */
    private long block;

    private long kept;
    private long dropped;

    /**
     * What a merge did.
     *
     * @param kept block versions and events that were written
     * @param dropped those that no retained point needs
     */
    public record Result(long kept, long dropped) {}

    /** One layer, and the version that it stands at. */
    private static final class Source {
        final LayerCursor cursor;
        boolean atFile;
        boolean atVersion;

        Source(LayerReader layer) {
            cursor = layer.cursor();
            atFile = cursor.nextFile();
        }
    }

    private record Version(Source source, LayerBlock block) {}

    private LayerMerger(RetainedPoints retained, Predicate<String> nothingBelow, LayerWriter into) {
        this.retained = retained;
        this.nothingBelow = nothingBelow;
        this.into = into;
    }

    /**
     * Writes the merge; the caller finishes the writer.
     *
     * @param layers adjacent in sequence, in any order
     * @param retained the points whose answers stay the same
     * @param nothingBelow whether neither an older layer nor an ancestor has anything of a path, so that its tombstone can
     *     go; {@code path -> false} when the layers are not the timeline's oldest
     */
    public static Result merge(
            List<LayerReader> layers, RetainedPoints retained, Predicate<String> nothingBelow, LayerWriter into) {
        LayerMerger merger = new LayerMerger(retained, nothingBelow, into);
        for (LayerReader layer : layers) {
            merger.sources.add(new Source(layer));
        }
        merger.mergeAll();
        return new Result(merger.kept, merger.dropped);
    }

    private void mergeAll() {
        List<Source> same = new ArrayList<>();
        while (true) {
            String path = nextPath(same);
            if (path == null) {
                return;
            }
            mergeFile(path, same);
            for (Source source : same) {
                source.atFile = source.cursor.nextFile();
            }
        }
    }

    /** The first of the sources' paths, and which stand at it; null at the end. */
    private @Nullable String nextPath(List<Source> same) {
        String first = null;
        same.clear();
        for (Source source : sources) {
            if (source.atFile) {
                int order = first == null ? -1 : PathOrder.compare(source.cursor.path(), first);
                if (order < 0) {
                    first = source.cursor.path();
                    same.clear();
                }
                if (order <= 0) {
                    same.add(source);
                }
            }
        }
        return first;
    }

    private void mergeFile(String path, List<Source> same) {
        List<FileEvent> events = new ArrayList<>();
        for (Source source : same) {
            events.addAll(source.cursor.events());
            source.atVersion = source.cursor.nextVersion();
        }
        events.sort(Comparator.comparing(FileEvent::sequence, Long::compareUnsigned));
        EventFilter filter = new EventFilter(events, retained);
        // Where nothing is below, saying that nothing is here is superfluous, unless a version has to be hidden.
        boolean written = !(filter.isTombstone() && nothingBelow.test(path));
        into.beginFile(path);
        if (written) {
            writeEvents(filter);
        }
        List<Version> versions = new ArrayList<>();
        while (nextBlock(same, versions)) {
            filterVersions(path, versions, filter);
            if (!versions.isEmpty() && !written) {
                writeEvents(filter);
                written = true;
            }
            for (Version version : versions) {
                write(version);
            }
            kept += versions.size();
        }
        kept += written ? filter.kept().size() : 0;
        dropped += events.size() - (written ? filter.kept().size() : 0);
    }

    private void writeEvents(EventFilter filter) {
        for (FileEvent event : filter.kept()) {
            into.event(event.kind(), event.stamp(), event.sequence(), event.size());
        }
    }

    /** Collects all versions of the next block; false at the end of the path. */
    private boolean nextBlock(List<Source> same, List<Version> versions) {
        versions.clear();
        long next = Long.MAX_VALUE;
        for (Source source : same) {
            if (source.atVersion) {
                next = Math.min(next, source.cursor.block());
            }
        }
        block = next;
        for (Source source : same) {
            while (source.atVersion && source.cursor.block() == next) {
                versions.add(new Version(source, source.cursor.version()));
                source.atVersion = source.cursor.nextVersion();
            }
        }
        return next != Long.MAX_VALUE;
    }

    /** Leaves what a retained point needs, ascending by sequence. */
    private void filterVersions(String path, List<Version> versions, EventFilter filter) {
        versions.sort(Comparator.comparing(version -> version.block().sequence(), Long::compareUnsigned));
        int count = versions.size();
        long later = RetainedPoints.NEVER;
        List<Version> needed = new ArrayList<>(1);
        for (Version version : versions.reversed()) {
            LayerBlock found = version.block();
            long cut = filter.hiddenFrom(block, found.sequence());
            long end = Long.compareUnsigned(cut, later) < 0 ? cut : later;
            if (retained.anyWithin(found.stamp(), end)) {
                needed.add(version);
            }
            later = Long.compareUnsigned(found.stamp(), later) < 0 ? found.stamp() : later;
        }
        // Without anything below, a block is zero until it is written.
        while (!needed.isEmpty() && needed.getLast().block().zero() && nothingBelow.test(path)) {
            needed.removeLast();
        }
        dropped += count - needed.size();
        versions.clear();
        versions.addAll(needed.reversed());
    }

    private void write(Version version) {
        LayerBlock found = version.block();
        if (found.zero()) {
            into.zero(block, found.stamp(), found.sequence());
        } else {
            version.source().cursor.frame(found, frame);
            into.frame(block, found.stamp(), found.sequence(), frame, found.frameLength());
        }
    }
}
