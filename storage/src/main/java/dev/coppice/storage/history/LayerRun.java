package dev.coppice.storage.history;

import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import java.util.ArrayList;
import java.util.List;

/**
 * A stretch of a timeline's history that one flush or merge made: one layer, or several with disjoint paths, which cost a
 * read no more than one.
 *
 * @param layers not empty, ascending by path
 */
public record LayerRun(List<LayerDescriptor> layers) {
    /** The runs among a manifest's layers, from the oldest to the newest. */
    public static List<LayerRun> of(List<LayerDescriptor> layers) {
        List<LayerRun> runs = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= layers.size(); i++) {
            if (i == layers.size()
                    || layers.get(i).firstSequence() != layers.get(from).firstSequence()) {
                runs.add(new LayerRun(layers.subList(from, i)));
                from = i;
            }
        }
        return runs;
    }

    /** All layers of some runs. */
    public static List<LayerDescriptor> layersOf(List<LayerRun> runs) {
        return runs.stream().flatMap(run -> run.layers.stream()).toList();
    }

    public long bytes() {
        return layers.stream().mapToLong(LayerDescriptor::bytes).sum();
    }

    public long firstSequence() {
        return layers.getFirst().firstSequence();
    }

    public long lastSequence() {
        return layers.getFirst().lastSequence();
    }

    /** The lowest stamp, compared unsigned. */
    public long minStamp() {
        return layers.stream()
                .mapToLong(LayerDescriptor::minStamp)
                .reduce((a, b) -> Long.compareUnsigned(a, b) <= 0 ? a : b)
                .orElseThrow();
    }

    /** The highest stamp, compared unsigned. */
    public long maxStamp() {
        return layers.stream()
                .mapToLong(LayerDescriptor::maxStamp)
                .reduce((a, b) -> Long.compareUnsigned(a, b) >= 0 ? a : b)
                .orElseThrow();
    }

    boolean isImage() {
        return layers.getFirst().kind() == LayerKind.IMAGE;
    }
}
