package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.storage.PageService;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logical size of branches, in bytes, as last measured: to measure is to look at every file. Whoever asks for many gets
 * what is known, and one thread measures the rest. Thread-safe.
 */
public final class BranchSizes {
    private static final Logger log = LoggerFactory.getLogger(BranchSizes.class);
    private static final long FRESH_NANOS = Duration.ofSeconds(30).toNanos();

    private final PageService pages;
    private final Map<TimelineId, Measured> known = new ConcurrentHashMap<>();

    /** To be measured; guarded by itself. Not empty exactly when a thread is at it. */
    private final Set<TimelineId> waiting = new LinkedHashSet<>();

    private record Measured(long bytes, long nanos) {
        boolean isFresh() {
            return System.nanoTime() - nanos < FRESH_NANOS;
        }
    }

    public BranchSizes(PageService pages) {
        this.pages = pages;
    }

    /** What is known; null when the branch was never measured. Does not wait. */
    public @Nullable Long known(Branch branch) {
        TimelineId timeline = branch.timeline();
        Measured measured = known.get(timeline);
        if (measured == null || !measured.isFresh()) {
            enqueue(timeline);
        }
        return measured == null ? null : measured.bytes;
    }

    /** The size, not older than half a minute; null when the branch is going away. */
    public @Nullable Long measured(Branch branch) {
        TimelineId timeline = branch.timeline();
        Measured measured = known.get(timeline);
        if (measured == null || !measured.isFresh()) {
            measured = measure(timeline);
        }
        return measured == null ? null : measured.bytes;
    }

    private void enqueue(TimelineId timeline) {
        synchronized (waiting) {
            boolean idle = waiting.isEmpty();
            waiting.add(timeline);
            if (idle) {
                Thread.ofVirtual().name("branch-sizes").start(this::drain);
            }
        }
    }

    private void drain() {
        while (true) {
            TimelineId next;
            synchronized (waiting) {
                next = waiting.iterator().next();
            }
            try {
                measure(next);
            } catch (StackOverflowError | OutOfMemoryError e) {
                // One that cannot be measured keeps nobody else from it, now or later.
                log.warn("cannot measure timeline {}", next, e);
            }
            synchronized (waiting) {
                waiting.remove(next);
                if (waiting.isEmpty()) {
                    return;
                }
            }
        }
    }

    private @Nullable Measured measure(TimelineId timeline) {
        try {
            if (pages.exists(timeline)) {
                Measured measured = new Measured(pages.timeline(timeline).size().logicalBytes(), System.nanoTime());
                known.put(timeline, measured);
                return measured;
            }
        } catch (RuntimeException e) {
            // The size is information only; whoever reads the branch meets the same error.
            log.warn("cannot measure timeline {}: {}", timeline, e.getMessage());
        }
        known.remove(timeline);
        return null;
    }
}
