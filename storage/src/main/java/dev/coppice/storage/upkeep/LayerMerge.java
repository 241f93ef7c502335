package dev.coppice.storage.upkeep;

import dev.coppice.common.Lsn;
import dev.coppice.storage.history.LayerRun;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layer.LayerMerger;
import dev.coppice.storage.layer.LayerWriter;
import dev.coppice.storage.layer.RetainedPoints;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Replaces adjacent runs of one timeline's layers by one, without what no retained point sees. One merge at a time; flushes
 * may add layers meanwhile.
 *
 * <p>Crash argument. Merged layers are durable before the manifest that lists them, and the manifest before those they
 * replace are deleted; what a crash leaves over is in no manifest.
 */
public final class LayerMerge {
    private final TimelineHistory history;
    private final LongSupplier oldest;
    private final Predicate<String> absentInParent;

    /**
     * @param oldest where the timeline's own history begins
     * @param absentInParent whether nothing is inherited at a path
     */
    public LayerMerge(TimelineHistory history, LongSupplier oldest, Predicate<String> absentInParent) {
        this.history = history;
        this.oldest = oldest;
        this.absentInParent = absentInParent;
    }

    /** The runs there are, from the oldest. */
    public List<LayerRun> runs() {
        return LayerRun.of(history.layers().descriptors());
    }

    /**
     * Merges.
     *
     * @param merged some of {@link #runs}, adjacent
     * @param retained must not ask for what an earlier merge dropped
     */
    public void run(List<LayerRun> merged, RetainedPoints retained, FileWrites writes) {
        history.refuseWhenLost();
        StorageResources resources = history.resources();
        List<LayerDescriptor> inputs = LayerRun.layersOf(merged);
        boolean bottom = runs().getFirst().equals(merged.getFirst());
        List<LayerDescriptor> outputs;
        try (LayerWriter writer = new LayerWriter(
                resources.layers(),
                history.id(),
                bottom ? LayerKind.IMAGE : LayerKind.DELTA,
                merged.getFirst().firstSequence(),
                merged.getLast().lastSequence(),
                writes)) {
            Predicate<String> nothingBelow = path -> bottom && absentInParent.test(path);
            LayerMerger.merge(history.readers(inputs), retained, nothingBelow, writer);
            outputs = writer.finish();
        }
        history.replaceManifest(
                new Lsn(oldest.getAsLong()),
                change -> new TimelineHistory.Change(
                        change.flushed(),
                        replaced(change.layers(), inputs, outputs),
                        change.horizon(),
                        change.damage()));
        inputs.forEach(layer -> resources.layers().delete(history.id(), layer.name()));
    }

    private static List<LayerDescriptor> replaced(
            List<LayerDescriptor> all, List<LayerDescriptor> inputs, List<LayerDescriptor> outputs) {
        List<LayerDescriptor> next = new ArrayList<>(all);
        int at = next.indexOf(inputs.getFirst());
        next.removeAll(inputs);
        next.addAll(at, outputs);
        return next;
    }
}
