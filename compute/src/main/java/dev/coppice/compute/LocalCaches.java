package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.fault.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The local files of suspended computes: kept, so that the next wake is warm, as long as all of them together stay within a
 * budget of disk space; then the ones that were suspended longest ago go. What counts is allocated blocks, since the files
 * are sparse. Nothing is remembered but sizes: the time is that of the marker in each directory, so a restart changes
 * nothing. Works on a thread of its own.
 */
final class LocalCaches implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LocalCaches.class);

    /** Many suspends in a row are looked at together. */
    private static final Duration PAUSE = Duration.ofMillis(500);

    /** One part of the disk when nobody says how much. */
    private static final long DEFAULT_SHARE = 10;

    private record Measured(Instant suspendedAt, long bytes) {}

    private record Kept(TimelineId timeline, Instant suspendedAt, long bytes) {}

    private final PageService pages;
    private final ComputeLifecycle lifecycle;
    private final long configuredBytes;
    private final Map<TimelineId, Measured> sizes = new ConcurrentHashMap<>();
    private final PeriodicTask task;
    private volatile boolean squeezed;

    /** @param budgetBytes for all suspended timelines together; negative = a tenth of the disk */
    LocalCaches(PageService pages, ComputeLifecycle lifecycle, long budgetBytes) {
        this.pages = pages;
        this.lifecycle = lifecycle;
        this.configuredBytes = budgetBytes;
        task = PeriodicTask.named("local-caches").gathering(PAUSE).start(this::trim);
    }

    /** Whether all of them are to go, because there is no room on the disk. */
    void squeeze(boolean none) {
        boolean before = squeezed;
        squeezed = none;
        if (none && !before) {
            task.ask();
        }
    }

    /** Says that there may be more than the budget now. */
    void changed() {
        task.ask();
    }

    @Override
    public void close() {
        task.close();
    }

    private void trim() throws IOException, InterruptedException {
        List<Kept> kept = new ArrayList<>();
        long total = 0;
        for (TimelineId id : pages.timelines()) {
            Kept one = lifecycle.isClaimed(id) ? null : look(id);
            if (one != null) {
                kept.add(one);
                total += one.bytes;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        if (kept.isEmpty()) {
            return;
        }
        long budget = budget(pages.timeline(kept.getFirst().timeline).layout().directory());
        kept.sort(Comparator.comparing(Kept::suspendedAt));
        for (Kept one : kept) {
            if (total <= budget) {
                break;
            }
            if (discard(one)) {
                total -= one.bytes;
            }
        }
    }

    private long budget(Path directory) {
        if (squeezed) {
            return 0;
        }
        // Not a FileStore: that wants a mount point, which is not there below a chroot.
        return configuredBytes >= 0 ? configuredBytes : directory.toFile().getTotalSpace() / DEFAULT_SHARE;
    }

    /** Null when the timeline keeps nothing. */
    private @Nullable Kept look(TimelineId id) {
        try {
            LocalDirectory local = lifecycle.local(pages.timeline(id));
            Instant suspendedAt = local.suspendedAt().orElse(null);
            if (suspendedAt == null) {
                sizes.remove(id);
                return null;
            }
            @Nullable Measured known = sizes.get(id);
            if (known == null || !known.suspendedAt.equals(suspendedAt)) {
                known = new Measured(suspendedAt, local.bytes());
                sizes.put(id, known);
            }
            return new Kept(id, suspendedAt, known.bytes);
        } catch (NoSuchTimelineException e) {
            sizes.remove(id);
            return null;
        } catch (IOException | UncheckedIOException | StorageException e) {
            // It was woken or deleted while it was looked at.
            log.debug("Cannot see the local files of timeline {}", id, e);
            return null;
        }
    }

    private boolean discard(Kept one) throws InterruptedException {
        try {
            lifecycle.discardLocal(one.timeline);
            sizes.remove(one.timeline);
            log.debug("Discarded {} bytes of local files of timeline {}", one.bytes, one.timeline);
            return true;
        } catch (ComputeException | NoSuchTimelineException e) {
            log.debug("Timeline {} was woken or deleted before its local files could go", one.timeline, e);
        } catch (IOException e) {
            log.warn("Cannot discard the local files of timeline {}", one.timeline, e);
        }
        return false;
    }
}
