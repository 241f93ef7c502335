package dev.coppice.storage;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.io.ThreadPriority;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The background work of a page service, one timeline after the other: a thread that flushes, and one of low priority that
 * merges layers, collects garbage, compresses WAL and lets go of what nobody uses. What fails is said once for each
 * timeline, and tried again later.
 */
final class Maintenance implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Maintenance.class);

    /** After a failure, in nanoseconds: a full disk is not full for milliseconds. */
    private static final long RETRY_AFTER = Duration.ofSeconds(10).toNanos();

    /** WAL segments compressed in one go. */
    private static final int COMPRESSED_AT_ONCE = 4;

    private final Supplier<Collection<Timeline>> timelines;
    private final StorageResources resources;
    private final BlockingQueue<Timeline> toFlush = new LinkedBlockingQueue<>();
    private final BlockingQueue<Timeline> toCompact = new LinkedBlockingQueue<>();
    private final Set<TimelineId> queued = ConcurrentHashMap.newKeySet();
    private final Set<TimelineId> queuedForCompaction = ConcurrentHashMap.newKeySet();

    /** Timelines whose last attempt failed, and when the next may be made. */
    private final Map<TimelineId, Long> failed = new ConcurrentHashMap<>();

    private final Thread flusher;
    private final Thread compactor;
    private volatile boolean closed;

    /** @param timelines a snapshot of all there are */
    Maintenance(Supplier<Collection<Timeline>> timelines, StorageResources resources) {
        this.timelines = timelines;
        this.resources = resources;
        flusher = Thread.ofVirtual().name("page-service-flush").unstarted(this::flushAll);
        compactor = Thread.ofPlatform().daemon().name("page-service-compaction").unstarted(this::compactAll);
    }

    void start() {
        flusher.start();
        compactor.start();
    }

    /** Looks whether a timeline's journal is large enough for a layer; cheap. */
    void consider(Timeline timeline) {
        if (timeline.upkeep().wantsFlush() && mayTry(timeline) && queued.add(timeline.id())) {
            toFlush.add(timeline);
        }
    }

    private boolean mayTry(Timeline timeline) {
        Long next = failed.get(timeline.id());
        return next == null || System.nanoTime() - next >= 0;
    }

    private void flushAll() {
        while (!closed) {
            try {
                Timeline timeline = toFlush.take();
                queued.remove(timeline.id());
                attempt(timeline, "flush", timeline::flush);
                if (timeline.upkeep().wantsCompaction() && queuedForCompaction.add(timeline.id())) {
                    toCompact.add(timeline);
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void compactAll() {
        ThreadPriority.lower();
        long sweepInterval = seconds(resources.configuration().garbageCollectionIntervalSeconds());
        long unloadInterval = seconds(resources.configuration().idleTimelineSeconds());
        long nextSweep = System.nanoTime() + sweepInterval;
        long nextUnload = System.nanoTime() + unloadInterval;
        while (!closed) {
            try {
                long wait = Math.min(nextSweep, nextUnload) - System.nanoTime();
                Timeline timeline = toCompact.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
                if (timeline != null) {
                    queuedForCompaction.remove(timeline.id());
                    attempt(timeline, "compact", () -> timeline.upkeep().compact(true));
                }
                if (System.nanoTime() - nextSweep >= 0) {
                    sweep();
                    nextSweep = System.nanoTime() + sweepInterval;
                }
                if (System.nanoTime() - nextUnload >= 0) {
                    unloadIdle();
                    nextUnload = System.nanoTime() + unloadInterval;
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static long seconds(int seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }

    private void sweep() {
        Instant cold = Instant.now().minusSeconds(resources.configuration().compressWalAfterSeconds());
        for (Timeline timeline : timelines.get()) {
            if (closed) {
                return;
            }
            if (timeline.hasHistory() && mayTry(timeline)) {
                attempt(timeline, "collect the garbage of", () -> {
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
        for (Timeline timeline : timelines.get()) {
            if (!timeline.isFollowed()) {
                timeline.upkeep().unloadIfIdle();
            }
        }
    }

    private void attempt(Timeline timeline, String what, Runnable work) {
        try {
            work.run();
            if (failed.remove(timeline.id()) != null) {
                LOG.info("timeline {}: background work goes on", timeline.id());
            }
        } catch (RuntimeException e) {
            if (closed || timeline.upkeep().isClosed()) {
                return;
            }
            Long before = failed.put(timeline.id(), System.nanoTime() + RETRY_AFTER);
            if (before == null) {
                LOG.warn("cannot {} timeline {}; it stays readable, and this is tried again", what, timeline.id(), e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        stop(flusher);
        stop(compactor);
    }

    private static void stop(Thread thread) {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
