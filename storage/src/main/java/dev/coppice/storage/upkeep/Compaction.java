package dev.coppice.storage.upkeep;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.coppice.common.Lsn;
import dev.coppice.storage.history.LayerRun;
import dev.coppice.storage.history.Retention;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.layer.RetainedPoints;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.read.WalHistory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;

/**
 * Decides what to merge of one timeline's layers, and removes history that no retained point sees. A horizon is durable
 * before anything below it goes; what a crash leaves over is in no manifest, and the next collection deletes it.
 */
final class Compaction {
    private static final long MEGABYTE = 1 << 20;

    private final TimelineHistory history;
    private final WalHistory wal;
    private final Flush flush;
    private final LayerMerge layers;
    private final LongSupplier historyBytes;
    private final LongUnaryOperator startable;
    private final CompactionPolicy policy;
    private final ReentrantLock lock = new ReentrantLock();

    /** Up to where garbage was removed already, compared unsigned. */
    @GuardedBy("lock")
    private long collectedTo;

    /**
     * @param absentInParent whether nothing is inherited at a path
     * @param historyBytes what history occupies on disk
     * @param startable the point from which Postgres would go on, given the image at a point
     */
    Compaction(
            TimelineHistory history,
            WalHistory wal,
            Flush flush,
            Predicate<String> absentInParent,
            LongSupplier historyBytes,
            LongUnaryOperator startable) {
        this.history = history;
        this.wal = wal;
        this.flush = flush;
        this.historyBytes = historyBytes;
        this.startable = startable;
        this.layers = new LayerMerge(history, wal::oldest, absentInParent);
        var configuration = history.resources().configuration();
        this.policy = new CompactionPolicy(
                configuration.compactionLayers(), configuration.flushJournalMegabytes() * MEGABYTE);
    }

    /** Held while layers are merged. */
    ReentrantLock lock() {
        return lock;
    }

    /** Whether {@link #compact} would do anything. */
    boolean isWorthwhile() {
        return !policy.next(layers.runs()).isEmpty();
    }

    /** Nothing goes while a timeline is there that may need it, and cannot say so. */
    private boolean mustKeepAll() {
        return !history.resources().retention().unknown().isEmpty();
    }

    /** Merges until the sizes are good. */
    void compact(MergeWrites writes) {
        lock.lock();
        try {
            if (mustKeepAll()) {
                return;
            }
            List<LayerRun> next = policy.next(layers.runs());
            while (!next.isEmpty()) {
                layers.run(next, retained(), writes);
                next = policy.next(layers.runs());
            }
        } finally {
            lock.unlock();
        }
    }

    /** Advances the horizon and removes all that no retained point sees any more. */
    GarbageCollection collectAll(MergeWrites writes) {
        lock.lock();
        try {
            long before = historyBytes.getAsLong();
            collect(true, writes);
            return new GarbageCollection(before, historyBytes.getAsLong(), new Lsn(wal.horizon()));
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #collectAll}, but layers only when much can be gained. */
    void collectSome(MergeWrites writes) {
        lock.lock();
        try {
            collect(false, writes);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void collect(boolean all, MergeWrites writes) {
        history.refuseWhenLost();
        if (mustKeepAll()) {
            return;
        }
        boolean unpinned = history.resources().retention().takeUnpinned(history.id());
        if (collectedTo == 0) {
            // What an earlier process collected needs no look again.
            collectedTo = history.storedHorizon().value();
        }
        Collection<Lsn> pins = advanceHorizon();
        long horizon = history.storedHorizon().value();
        if (horizon != 0) {
            List<LayerRun> old = runsBelow(horizon);
            boolean gain = expiredBytes(old, horizon) * 3 >= bytes(old);
            if (!old.isEmpty() && (all || unpinned || gain)) {
                layers.run(old, retained(), writes);
                collectedTo = horizon;
            }
            wal.store().deleteOutside(wal.neededWal(new Lsn(wal.horizon()), ownOnly(pins)));
        }
        removeStrays();
    }

    /** Moves the horizon to where the retention lets it, durably; returns what stays readable below it. */
    private Collection<Lsn> advanceHorizon() {
        Retention retention = history.resources().retention();
        Optional<Duration> duration = retention.of(history.id());
        long target = duration.flatMap(
                        d -> history.moments().atOrBefore(Instant.now().minus(d)))
                .map(moment -> startable.applyAsLong(moment.lsn().value()))
                .orElse(0L);
        long now = wal.horizon();
        List<Lsn> pins = new ArrayList<>();
        retention.locked(() -> {
            if (Long.compareUnsigned(target, now) > 0) {
                history.advanceHorizon(target);
            }
            pins.addAll(retention.pins(history.id()));
        });
        if (history.horizon() != history.storedHorizon().value()) {
            history.replaceManifest(new Lsn(wal.oldest()), change -> change);
        }
        return pins;
    }

    private Collection<Lsn> ownOnly(Collection<Lsn> pins) {
        Lsn oldest = new Lsn(wal.oldest());
        return pins.stream().filter(pin -> !oldest.isAfter(pin)).toList();
    }

    /** The oldest runs, as far as they can hold something that nobody sees. */
    private List<LayerRun> runsBelow(long horizon) {
        List<LayerRun> runs = layers.runs();
        int end = 0;
        while (end < runs.size() && Long.compareUnsigned(runs.get(end).minStamp(), horizon) <= 0) {
            end++;
        }
        return runs.subList(0, end);
    }

    /** About how much of the runs came to lie below the horizon since the last collection, if stamps are spread evenly. */
    @GuardedBy("lock")
    private double expiredBytes(List<LayerRun> runs, long horizon) {
        double expired = 0;
        for (LayerRun run : runs) {
            long from = Lsn.max(run.minStamp(), collectedTo);
            long to = Lsn.min(run.maxStamp(), horizon);
            if (Long.compareUnsigned(from, to) < 0) {
                expired += run.bytes() * ((double) (to - from) / (run.maxStamp() - run.minStamp()));
            }
        }
        return expired;
    }

    private static long bytes(List<LayerRun> runs) {
        return runs.stream().mapToLong(LayerRun::bytes).sum();
    }

    private RetainedPoints retained() {
        return new RetainedPoints(
                history.storedHorizon(), history.resources().retention().pins(history.id()));
    }

    /** Deletes what a crash or a failure left over: layers in no manifest, and flushed parts of the journal. */
    private void removeStrays() {
        flush.lock().lock();
        try {
            LayerStore store = history.resources().layers();
            Set<String> listed = new HashSet<>();
            history.layers().descriptors().forEach(layer -> listed.add(layer.name()));
            for (String name : store.list(history.id())) {
                if (!listed.contains(name)) {
                    store.delete(history.id(), name);
                }
            }
            store.removeStray(history.id());
            history.journal().free(history.flushed());
        } finally {
            flush.lock().unlock();
        }
    }
}
