package dev.coppice.storage.wal;

import dev.coppice.common.Lsn;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is known of a timeline's times: moments ascending in LSN and never descending in time. Immutable.
 *
 * <p>Thinned as it grows to at most {@link #MAX}: the newest stay as they are, older ones lie apart in proportion to
 * their age, and nowhere is much more WAL between two than elsewhere. A gap costs whoever asks for a time inside it a walk
 * over that WAL, and lets retention keep more than it was asked to; it never gives a wrong answer.
 */
public final class Moments {
    /** Nothing is known. */
    public static final Moments EMPTY = new Moments(List.of());

    /** The most moments kept. */
    public static final int MAX = 1024;

    /** The newest moments, which thinning leaves alone. */
    private static final int RECENT = 64;

    /** How much WAL counts against time when a moment is judged dispensable. */
    private static final double WAL_WEIGHT = 8;

    private final List<Moment> list;

    private Moments(List<Moment> list) {
        this.list = list;
    }

    /**
     * Takes moments as they were stored.
     *
     * @throws IllegalArgumentException when they are not in order
     */
    public static Moments of(List<Moment> stored) {
        for (int i = 1; i < stored.size(); i++) {
            Moment before = stored.get(i - 1);
            Moment after = stored.get(i);
            if (!after.lsn().isAfter(before.lsn()) || after.time().isBefore(before.time())) {
                throw new IllegalArgumentException("the moment " + after + " must not follow " + before);
            }
        }
        return new Moments(List.copyOf(stored));
    }

    /** The moments, ascending. */
    public List<Moment> list() {
        return list;
    }

    /**
     * These and one more. An LSN that is not above the newest changes nothing: no WAL was written since. A clock that went
     * back does not: the newest time counts, so that what {@link Moment} says stays true.
     *
     * @param time read after {@code lsn} was known to be the end of WAL
     */
    public Moments with(Instant time, Lsn lsn) {
        Moment newest = list.isEmpty() ? null : list.getLast();
        if (newest != null && !lsn.isAfter(newest.lsn())) {
            return this;
        }
        List<Moment> longer = new ArrayList<>(list.size() + 1);
        longer.addAll(list);
        longer.add(new Moment(newest != null && time.isBefore(newest.time()) ? newest.time() : time, lsn));
        if (longer.size() > MAX) {
            longer.remove(mostDispensable(longer));
        }
        return new Moments(List.copyOf(longer));
    }

    /** Without those below the newest one at or below {@code horizon}: history begins there. */
    public Moments from(Lsn horizon) {
        int first = lastAtOrBelow(horizon);
        return first <= 0 ? this : new Moments(list.subList(first, list.size()));
    }

    /**
     * Where to begin to look for the first commit later than {@code time}: the last moment before the first one that is
     * later. Every commit before it is at or before {@code time}.
     */
    public Optional<Moment> atOrBefore(Instant time) {
        int low = 0;
        int high = list.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (list.get(middle).time().isAfter(time)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low == 0 ? Optional.empty() : Optional.of(list.get(low - 1));
    }

    /** The newest moment at or below an LSN. */
    public Optional<Moment> atOrBefore(Lsn lsn) {
        int found = lastAtOrBelow(lsn);
        return found < 0 ? Optional.empty() : Optional.of(list.get(found));
    }

    /** The oldest moment at or above an LSN: a time from which everything up to the LSN has surely happened. */
    public Optional<Moment> atOrAfter(Lsn lsn) {
        int below = lastAtOrBelow(lsn);
        if (below >= 0 && list.get(below).lsn().equals(lsn)) {
            return Optional.of(list.get(below));
        }
        return below + 1 < list.size() ? Optional.of(list.get(below + 1)) : Optional.empty();
    }

    private int lastAtOrBelow(Lsn lsn) {
        int low = 0;
        int high = list.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (list.get(middle).lsn().isAfter(lsn)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low - 1;
    }

    /** The moment whose absence leaves the smallest gap, against its age and against all the WAL there is. */
    private static int mostDispensable(List<Moment> moments) {
        Moment first = moments.getFirst();
        Moment last = moments.getLast();
        double wal = Math.max(1, last.lsn().value() - first.lsn().value());
        int found = 1;
        double smallest = Double.MAX_VALUE;
        for (int i = 1; i < moments.size() - RECENT; i++) {
            Moment before = moments.get(i - 1);
            Moment after = moments.get(i + 1);
            double age = Math.max(1, seconds(moments.get(i), last));
            double gap = seconds(before, after) / age
                    + WAL_WEIGHT * (after.lsn().value() - before.lsn().value()) / wal;
            if (gap < smallest) {
                smallest = gap;
                found = i;
            }
        }
        return found;
    }

    private static double seconds(Moment from, Moment to) {
        return Duration.between(from.time(), to.time()).toMillis() / 1000.0;
    }
}
