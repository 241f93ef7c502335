package dev.coppice.control.meter;

import dev.coppice.common.Lsn;
import dev.coppice.common.task.ForEach;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.compute.ComputeListener;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Consumption.Hour;
import dev.coppice.control.catalog.model.Consumption.Used;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.rows.ConsumptionRows;
import dev.coppice.control.error.ControlException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures how long computes run, how large they are and how much write-ahead log they write, by hour and branch, and keeps
 * it in the catalog. Written bytes are those between the looks of the activity monitor. Thread-safe.
 */
public final class ConsumptionMeter implements ComputeListener, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ConsumptionMeter.class);
    private static final Duration INTERVAL = Duration.ofSeconds(30);
    private static final Duration KEPT = Duration.ofDays(400);

    private final Catalog catalog;
    private final ActivityMonitor monitor;
    private final ToDoubleFunction<String> computeUnits;
    private final Supplier<List<String>> active;
    private final Clock clock;
    private final ReentrantLock lock = new ReentrantLock();

    /** One writer at a time, so that what was measured reaches the catalog before who asked for it reads. */
    private final ReentrantLock writing = new ReentrantLock();

    /** By endpoint id; guarded by lock. */
    private final Map<String, Running> running = new HashMap<>();

    /** When computes woke whose endpoint nobody knew yet, as a new project's first one; guarded by lock. */
    private final Map<String, Instant> early = new HashMap<>();

    /** What {@link ConsumptionRows#add} may have added or not; guarded by writing. */
    private @Nullable Batch unsettled;

    /** Of the last batch that was written; guarded by writing. */
    private long batches;

    private final String meter = UUID.randomUUID().toString();

    /** Measured and not in the catalog yet; guarded by lock. */
    private final Map<Key, Used> pending = new TreeMap<>();

    /** What was used since {@link #month} began, by project and branch; guarded by lock. */
    private final Map<String, Map<String, Used>> thisMonth = new HashMap<>();

    private final PeriodicTask writer;
    private final PeriodicTask storageNotes;
    private volatile ToLongFunction<Project> storage = _ -> 0;
    private volatile Runnable then = () -> {};
    private Instant month;

    /** A compute since it was last looked at. */
    private static final class Running {
        private final String projectId;
        private final String branchId;
        private Instant since;
        private @Nullable Lsn lsn;

        Running(Endpoint endpoint, Instant since) {
            this.projectId = endpoint.projectId();
            this.branchId = endpoint.branchId();
            this.since = since;
        }
    }

    /** Figures that are added to the catalog in one transaction, which says that it did. */
    private record Batch(long number, Map<Key, Used> figures) {}

    private record Key(Instant hour, String projectId, String branchId) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byHour = hour.compareTo(other.hour);
            int byProject = byHour != 0 ? byHour : projectId.compareTo(other.projectId);
            return byProject != 0 ? byProject : branchId.compareTo(other.branchId);
        }
    }

    /**
     * @param computeUnits the size of an endpoint's compute
     * @param active the endpoints whose computes run
     */
    public ConsumptionMeter(
            Catalog catalog,
            ActivityMonitor monitor,
            ToDoubleFunction<String> computeUnits,
            Supplier<List<String>> active,
            Clock clock) {
        this.catalog = catalog;
        this.monitor = monitor;
        this.computeUnits = computeUnits;
        this.active = active;
        this.clock = clock;
        this.month = monthOf(clock.instant());
        Instant end = clock.instant().plus(Duration.ofHours(1));
        catalog.transaction(connection -> ConsumptionRows.between(connection, month, end))
                .forEach(hour -> count(hour.projectId(), hour.branchId(), hour.used()));
        this.writer = PeriodicTask.named("consumption-meter")
                .every(INTERVAL)
                .doing(() -> ForEach.<Runnable>of(List.of(this::write, () -> then.run()), Runnable::run));
        this.storageNotes = PeriodicTask.named("storage-meter")
                .first(INTERVAL)
                .every(this::untilNextHour)
                .doing(() -> noteStorage(clock.instant()));
    }

    /**
     * Begins to write down regularly.
     *
     * @param storageOf what a project's branches take on disk, in bytes
     * @param afterwards runs each time
     */
    public void start(ToLongFunction<Project> storageOf, Runnable afterwards) {
        storage = storageOf;
        then = afterwards;
        writer.start();
        storageNotes.start();
    }

    /** The first moment of a time's month, UTC. */
    static Instant monthOf(Instant time) {
        return time.atZone(ZoneOffset.UTC)
                .truncatedTo(ChronoUnit.DAYS)
                .withDayOfMonth(1)
                .toInstant();
    }

    @Override
    public void woken(String endpointId) {
        lock.lock();
        try {
            begin(endpointId);
        } finally {
            lock.unlock();
        }
    }

    /** Guarded by lock. */
    private void begin(String endpointId) {
        Optional<Endpoint> endpoint = catalog.inventory().endpoint(endpointId);
        if (endpoint.isEmpty()) {
            early.putIfAbsent(endpointId, clock.instant());
        } else if (!running.containsKey(endpointId)) {
            Instant woke = early.remove(endpointId);
            running.put(endpointId, new Running(endpoint.get(), woke == null ? clock.instant() : woke));
        }
    }

    /** Guarded by lock. Of these the wake was heard before there was an endpoint to count for. */
    private void beginPublished() {
        List.copyOf(early.keySet()).stream()
                .filter(endpointId -> catalog.inventory().endpoint(endpointId).isPresent())
                .forEach(this::begin);
    }

    @Override
    public void suspended(String endpointId) {
        lock.lock();
        try {
            beginPublished();
            early.remove(endpointId);
            Running was = running.remove(endpointId);
            if (was != null) {
                measure(endpointId, was);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void crashed(String endpointId, String reason) {
        suspended(endpointId);
    }

    /** What a project has used since the month began (UTC), to the second. */
    public Used ofProject(String projectId) {
        lock.lock();
        try {
            measureAll();
            return thisMonth.getOrDefault(projectId, Map.of()).values().stream().reduce(Used.NOTHING, Used::plus);
        } finally {
            lock.unlock();
        }
    }

    /** What a branch has used since the month began (UTC), as last measured. */
    public Used ofBranch(String projectId, String branchId) {
        lock.lock();
        try {
            return thisMonth.getOrDefault(projectId, Map.of()).getOrDefault(branchId, Used.NOTHING);
        } finally {
            lock.unlock();
        }
    }

    /** When the figures of {@link #ofProject} and {@link #ofBranch} begin. */
    public Instant monthBegan() {
        return monthOf(clock.instant());
    }

    /** What was used from {@code from} until before {@code to}, by hour and branch, up to now. */
    public List<Hour> history(Instant from, Instant to) {
        noteStorage(clock.instant());
        write();
        return catalog.transaction(connection -> ConsumptionRows.between(connection, from, to));
    }

    /** A moment before the hour ends, so that the last figure is of its end; every so often in its last moments. */
    private Duration untilNextHour() {
        Instant now = clock.instant();
        Instant end =
                now.truncatedTo(ChronoUnit.HOURS).plus(1, ChronoUnit.HOURS).minus(INTERVAL);
        return now.isBefore(end) ? Duration.between(now, end) : INTERVAL.plusSeconds(1);
    }

    /** Guarded by lock. */
    private void measureAll() {
        beginPublished();
        running.forEach(this::measure);
    }

    /** Guarded by lock. Splits at the full hour. */
    private void measure(String endpointId, Running compute) {
        Instant now = clock.instant();
        startMonth(now);
        double units = computeUnits.applyAsDouble(endpointId);
        long written = written(endpointId, compute);
        while (compute.since.isBefore(now)) {
            Instant hour = compute.since.truncatedTo(ChronoUnit.HOURS);
            Instant next = hour.plus(1, ChronoUnit.HOURS);
            Instant end = next.isBefore(now) ? next : now;
            long millis = Duration.between(compute.since, end).toMillis();
            if (millis == 0) {
                break;
            }
            Used used = new Used(millis, Math.round(millis * units), written);
            written = 0;
            pending.merge(new Key(hour, compute.projectId, compute.branchId), used, Used::plus);
            count(compute.projectId, compute.branchId, used);
            compute.since = compute.since.plusMillis(millis);
        }
    }

    private long written(String endpointId, Running compute) {
        Lsn now = monitor.lastLsn(endpointId).orElse(null);
        Lsn before = compute.lsn == null ? monitor.firstLsn(endpointId).orElse(null) : compute.lsn;
        if (now == null) {
            return 0;
        }
        compute.lsn = now;
        return before == null || !now.isAfter(before) ? 0 : now.value() - before.value();
    }

    private void startMonth(Instant now) {
        Instant current = monthOf(now);
        if (!current.equals(month)) {
            month = current;
            thisMonth.clear();
        }
    }

    private void count(String projectId, String branchId, Used used) {
        thisMonth.computeIfAbsent(projectId, _ -> new HashMap<>()).merge(branchId, used, Used::plus);
    }

    private void write() {
        // A compute that was started before its endpoint was published was not heard of. Not under the lock: this asks
        // others.
        active.get().forEach(this::woken);
        writing.lock();
        try {
            Map<Key, Used> taken;
            lock.lock();
            try {
                measureAll();
                taken = new TreeMap<>(pending);
                pending.clear();
            } finally {
                lock.unlock();
            }
            store(new Batch(++batches, taken));
        } finally {
            writing.unlock();
        }
    }

    /** Guarded by writing. What was not stored waits for the next time. */
    private void store(Batch batch) {
        try {
            Batch before = unsettled;
            if (before != null) {
                settle(before);
                unsettled = null;
            }
            if (!batch.figures.isEmpty()) {
                catalog.transaction(connection -> {
                    ConsumptionRows.beginBatch(connection, meter, batch.number, clock.instant());
                    for (Map.Entry<Key, Used> entry : batch.figures.entrySet()) {
                        Key key = entry.getKey();
                        ConsumptionRows.add(connection, key.projectId(), key.branchId(), key.hour(), entry.getValue());
                    }
                    return Boolean.TRUE;
                });
            }
        } catch (ControlException e) {
            log.debug("What was used waits for the catalog: {}", e.getMessage());
            if (e.kind() == ControlException.Kind.UNCERTAIN && unsettled == null) {
                // Perhaps they are counted: the next time asks first.
                unsettled = batch;
            } else {
                putBack(batch);
            }
        } catch (RuntimeException e) {
            putBack(batch);
            throw e;
        }
    }

    /** Finds out whether a batch was stored; its figures are measured anew, so to say, when not. */
    private void settle(Batch batch) {
        long last = catalog.transaction(connection -> ConsumptionRows.lastBatch(connection, meter, clock.instant()));
        if (last < batch.number) {
            putBack(batch);
        }
    }

    private void putBack(Batch batch) {
        lock.lock();
        try {
            batch.figures.forEach((key, used) -> pending.merge(key, used, Used::plus));
        } finally {
            lock.unlock();
        }
    }

    /** A project that cannot be measured goes without a figure; the others have theirs. */
    private void noteStorage(Instant now) {
        Instant hour = now.truncatedTo(ChronoUnit.HOURS);
        Map<String, Long> sizes = new TreeMap<>();
        for (Project project : catalog.inventory().projects()) {
            try {
                sizes.put(project.id(), storage.applyAsLong(project));
            } catch (RuntimeException e) {
                log.warn("What project {} stores cannot be measured", project.id(), e);
            }
        }
        try {
            catalog.transaction(connection -> {
                for (Map.Entry<String, Long> entry : sizes.entrySet()) {
                    ConsumptionRows.putStorage(connection, entry.getKey(), hour, entry.getValue());
                }
                ConsumptionRows.deleteBefore(connection, hour.minus(KEPT));
                return Boolean.TRUE;
            });
        } catch (ControlException e) {
            log.debug("What is stored is noted later: {}", e.getMessage());
        }
    }

    /** Writes down what is left; computes should be suspended before. */
    @Override
    public void close() {
        writer.close();
        storageNotes.close();
        write();
    }
}
