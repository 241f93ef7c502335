package dev.coppice.storage.layer;

import java.util.List;
import java.util.function.Predicate;

/** Makes one run of layers out of several that are adjacent in sequence, without what no retained point can see. */
@SuppressWarnings("DoNotCallSuggester")
public final class LayerMerger {
    private LayerMerger() {}

    /**
     * Writes the merge; the caller finishes the writer.
     *
     * @param layers adjacent in sequence, in any order
     * @param retained the points whose answers stay the same
     * @param nothingBelow whether neither an older layer nor an ancestor has anything of a path, so that its tombstone can
     *     go; {@code path -> false} when the layers are not the timeline's oldest
     */
    public static void merge(
            List<LayerReader> layers, RetainedPoints retained, Predicate<String> nothingBelow, LayerWriter into) {
        throw new UnsupportedOperationException();
    }
}
