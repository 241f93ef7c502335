package dev.coppice.storage;

import dev.coppice.common.TimelineId;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.io.ThreadPriority;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The background work of a page service: tasks that flush, a timeline each, and one of low priority that merges layers,
 * collects garbage, compresses WAL and lets go of what nobody uses, one timeline after the other. What fails is said once for
 * each timeline and kind of work, and tried again later.
 */
final class Maintenance implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);

    /** After a failure, in nanoseconds: a full disk is not full for milliseconds. */
    private static final long RETRY_AFTER = Duration.ofSeconds(10).toNanos();

    /** WAL segments compressed in one go. */
    private static final int COMPRESSED_AT_ONCE = 4;

    /** Timelines flushed at once: one that writes much must not keep the journals of others in memory. */
    private static final int FLUSHERS = 3;

    /** What is done for a timeline; each fails and recovers by itself. */
    private enum Kind {
        FLUSH("flush"),
        COMPACT("compact"),
        COLLECT("collect the garbage of");

        private final String words;

        Kind(String words) {
            this.words = words;
        }
    }

    private record Attempt(TimelineId timeline, Kind kind) {}

    private final Supplier<Collection<Timeline>> timelines;
    private final StorageResources resources;
    private final Queue<Timeline> toFlush = new ConcurrentLinkedQueue<>();
    private final Queue<Timeline> toCompact = new ConcurrentLinkedQueue<>();

    /** In the queue, or being flushed; and the same for compaction: a timeline is in a queue once. */
    private final Set<TimelineId> queued = ConcurrentHashMap.newKeySet();

    private final Set<TimelineId> queuedForCompaction = ConcurrentHashMap.newKeySet();

    /** What failed the last time, and when it may be tried next. */
    private final Map<Attempt, Long> failed = new ConcurrentHashMap<>();

    private final List<PeriodicTask> flushers;
    private final PeriodicTask compactor;
    private volatile boolean closed;

    /** By {@link System#nanoTime}; for the compactor. */
    private long nextSweep;

    private long nextUnload;

    /** @param timelines a snapshot of all there are */
    Maintenance(Supplier<Collection<Timeline>> timelines, StorageResources resources) {
        this.timelines = timelines;
        this.resources = resources;
        nextSweep = System.nanoTime() + sweepInterval();
        nextUnload = System.nanoTime() + unloadInterval();
        flushers = Stream.generate(() -> PeriodicTask.named("storage-flush").doing(this::flushQueued))
                .limit(FLUSHERS)
                .toList();
        compactor = PeriodicTask.named("storage-compaction")
                .every(() -> Duration.ofNanos(Math.max(0, Math.min(nextSweep, nextUnload) - System.nanoTime())))
                .on(work -> Thread.ofPlatform().daemon().unstarted(() -> {
                    ThreadPriority.lower();
                    work.run();
                }))
                .doing(this::compactAndSweep);
    }

    void start() {
        flushers.forEach(PeriodicTask::start);
        compactor.start();
    }

    /** Looks whether a timeline's journal is large enough for a layer; cheap. */
    void consider(Timeline timeline) {
        if (timeline.upkeep().wantsFlush() && mayTry(timeline, Kind.FLUSH) && queued.add(timeline.id())) {
            toFlush.add(timeline);
            flushers.forEach(PeriodicTask::ask);
        }
    }

    private boolean mayTry(Timeline timeline, Kind kind) {
        Long next = failed.get(new Attempt(timeline.id(), kind));
        return next == null || System.nanoTime() - next >= 0;
    }

    private void flushQueued() {
        for (Timeline timeline = toFlush.poll(); timeline != null && !closed; timeline = toFlush.poll()) {
            try {
                attempt(timeline, Kind.FLUSH, timeline::flush);
            } finally {
                queued.remove(timeline.id());
            }
            if (timeline.upkeep().wantsCompaction() && queuedForCompaction.add(timeline.id())) {
                toCompact.add(timeline);
                compactor.ask();
            }
        }
    }

    private void compactAndSweep() {
        Timeline timeline = toCompact.poll();
        if (timeline != null) {
            queuedForCompaction.remove(timeline.id());
            attempt(timeline, Kind.COMPACT, () -> timeline.upkeep().compact(true));
            compactor.ask();
        }
        if (System.nanoTime() - nextSweep >= 0) {
            nextSweep = System.nanoTime() + sweepInterval();
            sweep();
        }
        if (System.nanoTime() - nextUnload >= 0) {
            nextUnload = System.nanoTime() + unloadInterval();
            unloadIdle();
        }
    }

    private long sweepInterval() {
        return seconds(resources.configuration().garbageCollectionIntervalSeconds());
    }

    private long unloadInterval() {
        return seconds(resources.configuration().idleTimelineSeconds());
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }

    private void sweep() {
        Instant cold = Instant.now().minusSeconds(resources.configuration().compressWalAfterSeconds());
        for (Timeline timeline : timelines.get()) {
            if (closed) {
                return;
            }
            if (timeline.hasHistory() && mayTry(timeline, Kind.COLLECT)) {
                attempt(timeline, Kind.COLLECT, () -> {
                    timeline.upkeep().collectInBackground();
                    boolean more = true;
                    while (more && !closed) {
                        more = timeline.upkeep().compressWal(cold, COMPRESSED_AT_ONCE);
                    }
                });
            }
        }
    }

    private void unloadIdle() {
        failed.keySet()
                .removeIf(attempt -> timelines.get().stream()
                        .noneMatch(timeline -> timeline.id().equals(attempt.timeline)));
        for (Timeline timeline : timelines.get()) {
            if (!timeline.isFollowed()) {
                timeline.upkeep().unloadIfIdle();
            }
        }
    }

    private void attempt(Timeline timeline, Kind kind, Runnable work) {
        Attempt attempt = new Attempt(timeline.id(), kind);
        try {
            work.run();
            if (failed.remove(attempt) != null) {
                LOG.info("timeline {}: it was possible again to {} it", timeline.id(), kind.words);
            }
        } catch (RuntimeException | StackOverflowError e) {
            if (closed || timeline.upkeep().isClosed()) {
                failed.remove(attempt);
                return;
            }
            Long before = failed.put(attempt, System.nanoTime() + RETRY_AFTER);
            if (before == null) {
                LOG.warn(
                        "cannot {} timeline {}; it stays readable, and this is tried again",
                        kind.words,
                        timeline.id(),
                        e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        flushers.forEach(PeriodicTask::stop);
        compactor.stop();
        flushers.forEach(PeriodicTask::close);
        compactor.close();
    }
}
