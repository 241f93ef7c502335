package dev.coppice.storage.layer;

import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.layer.format.LayerFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Says of one path which events no retained point needs, and from which LSN on its cuts hide a block version.
 *
 * <p>An event answers for the LSNs from its own stamp up to, exclusive, the lowest stamp of a later event that says all
 * that it says: any whole cut; for a truncation also one to no larger size; for a growth any cut, or one to no smaller
 * size. Without a retained point in between it can go: whoever could see it sees the later one, of which the same holds in
 * turn.
 */
final class EventFilter {
    private final List<FileEvent> kept = new ArrayList<>();

    /** Of the whole cuts in order: sequences, and the lowest stamp of each and those after it. */
    private long[] wholeCuts = new long[4];

    private long[] lowestFrom = new long[4];
    private int wholeCount;

    private final List<FileEvent> truncations = new ArrayList<>();

    /** @param events of one path, ascending by sequence */
    EventFilter(List<FileEvent> events, RetainedPoints retained) {
        long wholeCut = RetainedPoints.NEVER;
        long anyCut = RetainedPoints.NEVER;
        long ofDirectory = RetainedPoints.NEVER;
        NavigableMap<Long, Long> truncatedTo = new TreeMap<>();
        NavigableMap<Long, Long> grownTo = new TreeMap<>();
        for (FileEvent event : events.reversed()) {
            long stamp = event.stamp();
            long end;
            switch (event.kind()) {
                case MKDIR, RMDIR -> {
                    end = ofDirectory;
                    ofDirectory = lower(ofDirectory, stamp);
                }
                case CREATE, UNLINK, PUT -> {
                    end = wholeCut;
                    wholeCut = lower(wholeCut, stamp);
                    anyCut = lower(anyCut, stamp);
                }
                case TRUNCATE -> {
                    end = lower(wholeCut, stampOf(truncatedTo.floorEntry(event.size())));
                    anyCut = lower(anyCut, stamp);
                    addTruncation(truncatedTo, event.size(), stamp);
                }
                case GROWTH -> {
                    end = lower(anyCut, stampOf(grownTo.ceilingEntry(event.size())));
                    addGrowth(grownTo, event.size(), stamp);
                }
                default -> throw new IllegalArgumentException("unknown event " + event);
            }
            if (retained.anyWithin(stamp, end)) {
                kept.add(event);
            }
            noteCut(event);
        }
        java.util.Collections.reverse(kept);
        int at = 0;
        long[] cuts = new long[wholeCount];
        long[] lowest = new long[wholeCount];
        for (int i = wholeCount - 1; i >= 0; i--, at++) {
            cuts[at] = wholeCuts[i];
            lowest[at] = lowestFrom[i];
        }
        wholeCuts = cuts;
        lowestFrom = lowest;
    }

    /** What has to be written, ascending by sequence. */
    List<FileEvent> kept() {
        return kept;
    }

    /** Whether what is kept only says that nothing is there. */
    boolean isTombstone() {
        return kept.stream()
                .allMatch(event -> event.kind() == FileEventKind.UNLINK || event.kind() == FileEventKind.RMDIR);
    }

    /** The lowest stamp of a cut after {@code sequence} that takes {@code block} away; {@link RetainedPoints#NEVER}. */
    long hiddenFrom(long block, long sequence) {
        int low = 0;
        int high = wholeCount;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(wholeCuts[middle], sequence) > 0) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        long stamp = low < wholeCount ? lowestFrom[low] : RetainedPoints.NEVER;
        for (FileEvent truncation : truncations) {
            if (Long.compareUnsigned(truncation.sequence(), sequence) > 0
                    && block * LayerFormat.BLOCK_SIZE >= truncation.size()) {
                stamp = lower(stamp, truncation.stamp());
            }
        }
        return stamp;
    }

    private void noteCut(FileEvent event) {
        if (event.kind() == FileEventKind.TRUNCATE) {
            truncations.add(event);
        } else if (event.kind().isCut()) {
            if (wholeCount == wholeCuts.length) {
                wholeCuts = Arrays.copyOf(wholeCuts, wholeCount * 2);
                lowestFrom = Arrays.copyOf(lowestFrom, wholeCount * 2);
            }
            wholeCuts[wholeCount] = event.sequence();
            lowestFrom[wholeCount] = wholeCount == 0 ? event.stamp() : lower(lowestFrom[wholeCount - 1], event.stamp());
            wholeCount++;
        }
    }

    /** Keeps, for each size, the lowest stamp of a truncation to at most that size at the next smaller key. */
    private static void addTruncation(NavigableMap<Long, Long> truncatedTo, long size, long stamp) {
        if (Long.compareUnsigned(stampOf(truncatedTo.floorEntry(size)), stamp) <= 0) {
            return;
        }
        truncatedTo.put(size, stamp);
        Map.Entry<Long, Long> larger = truncatedTo.higherEntry(size);
        while (larger != null && Long.compareUnsigned(larger.getValue(), stamp) >= 0) {
            truncatedTo.remove(larger.getKey());
            larger = truncatedTo.higherEntry(size);
        }
    }

    /** Keeps, for each size, the lowest stamp of a growth to at least that size at the next larger key. */
    private static void addGrowth(NavigableMap<Long, Long> grownTo, long size, long stamp) {
        if (Long.compareUnsigned(stampOf(grownTo.ceilingEntry(size)), stamp) <= 0) {
            return;
        }
        grownTo.put(size, stamp);
        Map.Entry<Long, Long> smaller = grownTo.lowerEntry(size);
        while (smaller != null && Long.compareUnsigned(smaller.getValue(), stamp) >= 0) {
            grownTo.remove(smaller.getKey());
            smaller = grownTo.lowerEntry(size);
        }
    }

    private static long stampOf(Map.@org.jspecify.annotations.Nullable Entry<Long, Long> entry) {
        return entry == null ? RetainedPoints.NEVER : entry.getValue();
    }

    private static long lower(long a, long b) {
        return Long.compareUnsigned(a, b) <= 0 ? a : b;
    }
}
