package dev.coppice.storage;

import dev.coppice.storage.layer.LayerDescriptor;
import dev.coppice.storage.layer.LayerKind;
import java.util.ArrayList;
import java.util.List;

/**
 * A stretch of a timeline's history that one flush or merge made: one layer, or several with disjoint paths, which cost a
 * read no more than one.
 *
 * @param layers not empty, ascending by path
 */
record LayerRun(List<LayerDescriptor> layers) {
    /** The runs among a manifest's layers, from the oldest to the newest. */
    static List<LayerRun> of(List<LayerDescriptor> layers) {
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
    static List<LayerDescriptor> layersOf(List<LayerRun> runs) {
        return runs.stream().flatMap(run -> run.layers.stream()).toList();
    }

    long bytes() {
        return layers.stream().mapToLong(LayerDescriptor::bytes).sum();
    }

    long firstSequence() {
        return layers.getFirst().firstSequence();
    }

    long lastSequence() {
        return layers.getFirst().lastSequence();
    }

    /** The lowest stamp, compared unsigned. */
    long minStamp() {
        return layers.stream()
                .mapToLong(LayerDescriptor::minStamp)
                .reduce((a, b) -> Long.compareUnsigned(a, b) <= 0 ? a : b)
                .orElseThrow();
    }

    /** The highest stamp, compared unsigned. */
    long maxStamp() {
        return layers.stream()
                .mapToLong(LayerDescriptor::maxStamp)
                .reduce((a, b) -> Long.compareUnsigned(a, b) >= 0 ? a : b)
                .orElseThrow();
    }

    boolean isImage() {
        return layers.getFirst().kind() == LayerKind.IMAGE;
    }
}
