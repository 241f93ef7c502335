package dev.coppice.storage.upkeep;

import dev.coppice.storage.history.LayerRun;
import java.util.ArrayList;
import java.util.List;

/**
 * Which runs of layers to merge, by size. Runs of about the same size lie side by side, older ones are larger; when there
 * are {@code fanIn} of a size they become one of the next. So a read meets few runs, and a page is written again about once
 * for each factor of four that the timeline grows by.
 */
final class CompactionPolicy {
    /** More runs than this are merged whatever their sizes. */
    static final int MOST_RUNS = 12;

    private static final int GROWTH = 4;

    private final int fanIn;
    private final long smallest;

    /**
     * @param fanIn runs of one size that are merged
     * @param smallest in bytes: what is smaller counts as this large
     */
    CompactionPolicy(int fanIn, long smallest) {
        this.fanIn = fanIn;
        this.smallest = smallest;
    }

    /** The runs to merge next, adjacent; empty when it is good as it is. */
    List<LayerRun> next(List<LayerRun> oldestFirst) {
        List<LayerRun> newestFirst = oldestFirst.reversed();
        int from = 0;
        int tier = 0;
        for (int i = 0; i < newestFirst.size(); i++) {
            int own = tier(newestFirst.get(i).bytes());
            if (i > 0 && own > tier) {
                if (i - from >= fanIn) {
                    return newestFirst.subList(from, i).reversed();
                }
                from = i;
            }
            tier = Math.max(tier, own);
        }
        if (newestFirst.size() - from >= fanIn) {
            return newestFirst.subList(from, newestFirst.size()).reversed();
        }
        return oldestFirst.size() > MOST_RUNS ? cheapest(oldestFirst) : List.of();
    }

    private int tier(long bytes) {
        int tier = 0;
        for (long limit = smallest; bytes > limit && tier < Long.SIZE; limit *= GROWTH) {
            tier++;
        }
        return tier;
    }

    private List<LayerRun> cheapest(List<LayerRun> runs) {
        List<LayerRun> best = new ArrayList<>();
        long least = Long.MAX_VALUE;
        for (int i = 0; i + fanIn <= runs.size(); i++) {
            List<LayerRun> candidate = runs.subList(i, i + fanIn);
            long bytes = candidate.stream().mapToLong(LayerRun::bytes).sum();
            if (bytes < least) {
                least = bytes;
                best = candidate;
            }
        }
        return best;
    }
}
