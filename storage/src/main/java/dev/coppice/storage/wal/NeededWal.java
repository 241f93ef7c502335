package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;

/** Which WAL of a timeline somebody can still ask for. */
public final class NeededWal {
    private NeededWal() {}

    /**
     * Everything from where recovery at the horizon begins, and for each pinned point what recovery of it reads.
     *
     * @param horizon where the timeline's own history begins
     * @param pins points that stay readable, whether above the horizon or below
     * @param redoAt where recovery of the image at an LSN begins
     * @return ascending, apart from each other
     */
    public static List<LsnRange> of(Lsn horizon, Collection<Lsn> pins, UnaryOperator<Lsn> redoAt) {
        List<LsnRange> all = new ArrayList<>();
        all.add(new LsnRange(Lsn.min(redoAt.apply(horizon), horizon), LsnRange.UNBOUNDED));
        for (Lsn pin : pins) {
            all.add(new LsnRange(Lsn.min(redoAt.apply(pin), pin), pin));
        }
        return merged(all);
    }

    private static List<LsnRange> merged(List<LsnRange> ranges) {
        ranges.sort(Comparator.comparing(LsnRange::from));
        List<LsnRange> merged = new ArrayList<>();
        for (LsnRange range : ranges) {
            LsnRange last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && !range.from().isAfter(last.to())) {
                merged.set(merged.size() - 1, new LsnRange(last.from(), Lsn.max(last.to(), range.to())));
            } else {
                merged.add(range);
            }
        }
        return merged;
    }
}
