package dev.coppice.storage.history;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Which points must stay readable: how much history each timeline keeps, where children begin, what is leased. Thread-safe.
 *
 * <p>The lock orders a horizon's advance with whoever is about to use a point: either the point is pinned before the
 * horizon passes it, and stays, or it is refused.
 */
public final class Retention {
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<TimelineId, Duration> durations = new HashMap<>();

    @GuardedBy("lock")
    private final Map<TimelineId, BranchPoint> ancestors = new HashMap<>();

    @GuardedBy("lock")
    private final Map<TimelineId, Set<TimelineId>> children = new HashMap<>();

    @GuardedBy("lock")
    private final Map<TimelineId, Map<Lsn, Integer>> leases = new HashMap<>();

    /** Timelines that lost a pin since they were collected. */
    @GuardedBy("lock")
    private final Set<TimelineId> unpinned = new HashSet<>();

    /** Timelines of which it is not known where they begin. */
    @GuardedBy("lock")
    private final Set<TimelineId> unknown = new TreeSet<>(Comparator.comparing(TimelineId::value));

    /** A timeline is there of which it is not known where it begins: every point of the others may be one that it needs. */
    public void addUnknown(TimelineId id) {
        lock.lock();
        try {
            unknown.add(id);
        } finally {
            lock.unlock();
        }
    }

    /** Timelines that may need any point of any other, so that nothing may be let go of; mostly none. */
    public Set<TimelineId> unknown() {
        lock.lock();
        try {
            return Set.copyOf(unknown);
        } finally {
            lock.unlock();
        }
    }

    /** A timeline is there from now on. */
    public void add(TimelineId id, @Nullable BranchPoint ancestor) {
        if (ancestor == null) {
            return;
        }
        lock.lock();
        try {
            ancestors.put(id, ancestor);
            children.computeIfAbsent(ancestor.timeline(), ignored -> new HashSet<>(2))
                    .add(id);
        } finally {
            lock.unlock();
        }
    }

    /** A timeline is gone; what it pinned is not pinned any more. */
    public void remove(TimelineId id) {
        lock.lock();
        try {
            durations.remove(id);
            leases.remove(id);
            children.remove(id);
            unpinned.remove(id);
            unknown.remove(id);
            BranchPoint ancestor = ancestors.remove(id);
            if (ancestor != null) {
                Set<TimelineId> siblings = children.getOrDefault(ancestor.timeline(), new HashSet<>());
                siblings.remove(id);
                if (siblings.isEmpty()) {
                    children.remove(ancestor.timeline());
                }
                released(ancestor);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A point of a timeline, or of the ancestor that has it, is no longer pinned by somebody. */
    @GuardedBy("lock")
    private void released(BranchPoint point) {
        TimelineId at = point.timeline();
        unpinned.add(at);
        BranchPoint above = ancestors.get(at);
        while (above != null && above.lsn().isAfter(point.lsn())) {
            unpinned.add(above.timeline());
            above = ancestors.get(above.timeline());
        }
    }

    /** A snapshot of the timelines that begin on {@code id}. */
    public Set<TimelineId> children(TimelineId id) {
        lock.lock();
        try {
            return Set.copyOf(children.getOrDefault(id, Set.of()));
        } finally {
            lock.unlock();
        }
    }

    public void set(TimelineId id, Duration duration) {
        lock.lock();
        try {
            durations.put(id, duration);
        } finally {
            lock.unlock();
        }
    }

    /** How much history a timeline keeps; empty = all of it. */
    public Optional<Duration> of(TimelineId id) {
        lock.lock();
        try {
            return Optional.ofNullable(durations.get(id));
        } finally {
            lock.unlock();
        }
    }

    /** Whether a timeline lost a pin since the last call. */
    public boolean takeUnpinned(TimelineId id) {
        lock.lock();
        try {
            return unpinned.remove(id);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Pins a point until the lease is closed.
     *
     * @param check throws when the point cannot be read any more
     */
    public Lease lease(BranchPoint point, Runnable check) {
        lock.lock();
        try {
            check.run();
            leases.computeIfAbsent(point.timeline(), ignored -> new HashMap<>()).merge(point.lsn(), 1, Integer::sum);
        } finally {
            lock.unlock();
        }
        return new Lease(point, () -> release(point));
    }

    private void release(BranchPoint point) {
        lock.lock();
        try {
            Map<Lsn, Integer> held = leases.get(point.timeline());
            if (held == null) {
                return;
            }
            held.computeIfPresent(point.lsn(), (lsn, count) -> count == 1 ? null : count - 1);
            if (held.isEmpty()) {
                leases.remove(point.timeline());
            }
            if (!held.containsKey(point.lsn())) {
                released(point);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Does something while no pin comes or goes. */
    public void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }

    /** Whether a point of this timeline stays readable, however old it is. */
    public boolean isPinned(TimelineId id, Lsn lsn) {
        return pins(id).contains(lsn);
    }

    /**
     * The points of a timeline that children and leases need. A child's point may lie before the child begins; then it is a
     * point of this timeline, or of one further up.
     */
    public Collection<Lsn> pins(TimelineId id) {
        lock.lock();
        try {
            Set<Lsn> pins = new TreeSet<>();
            pins.addAll(leases.getOrDefault(id, Map.of()).keySet());
            Deque<Below> open = new ArrayDeque<>();
            open.push(new Below(id, null));
            while (!open.isEmpty()) {
                collect(open.pop(), pins, open);
            }
            return pins;
        } finally {
            lock.unlock();
        }
    }

    /** A timeline whose points below {@code end} belong to the one in question; null = all of them. */
    private record Below(TimelineId id, @Nullable Lsn end) {
        boolean has(Lsn lsn) {
            return end == null || end.isAfter(lsn);
        }
    }

    @GuardedBy("lock")
    private void collect(Below at, Set<Lsn> pins, Deque<Below> open) {
        if (at.end != null) {
            leases.getOrDefault(at.id, Map.of()).keySet().stream()
                    .filter(at::has)
                    .forEach(pins::add);
        }
        for (TimelineId child : children.getOrDefault(at.id, Set.of())) {
            BranchPoint ancestor = ancestors.get(child);
            if (ancestor == null) {
                continue;
            }
            if (at.has(ancestor.lsn())) {
                pins.add(ancestor.lsn());
            }
            open.push(new Below(child, at.has(ancestor.lsn()) ? ancestor.lsn() : at.end));
        }
    }
}
