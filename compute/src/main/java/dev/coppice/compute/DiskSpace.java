package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import dev.coppice.common.config.DiskConfiguration;
import dev.coppice.common.task.ForEach;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.NoSuchTimelineException;
import dev.coppice.storage.io.DirectoryTree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which computes may not grow, since their branch has used up what it may take of the disk, or the disk is nearly full. Postgres is told ({@link WriteThrottle}), and
 * refuses what would make a table longer; native code in a compute does not ask, so one that goes far beyond is ended. What counts is what lies
 * on the disk: a look walks the timeline's files, more often the less is left. Works on a thread of its own.
 */
final class DiskSpace implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DiskSpace.class);
    private static final long MEGABYTE = 1 << 20;
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** What is left of a limit lasts at least so long at this many bytes a second. */
    private static final long FASTEST_DISK = 1 << 30;

    private static final long LONGEST_SECONDS = 30;

    /** Less is not worth a restart. */
    private static final long LEAST_GAIN = 64 * MEGABYTE;

    /** More than there is: whoever fills the directories hides what is in them. */
    private static final long UNKNOWN = 1L << 60;

    /** Beyond a limit by this part of it a compute is ended. */
    private static final int RESERVE = 4;

    /**
     * What a timeline takes.
     *
     * @param first when it was first looked at since its compute started
     * @param due when to look again, of System.nanoTime
     */
    private record Use(long first, long bytes, long due) {}

    private record Stuck(String endpointId, String why) {}

    private final PageService pages;
    private final Collection<Endpoint> endpoints;
    private final LocalCaches caches;
    private final DiskConfiguration configuration;
    private final Path directory;
    private final Map<TimelineId, Use> uses = new ConcurrentHashMap<>();

    /** Why those may not grow; by timeline. */
    private final Map<TimelineId, String> full = new ConcurrentHashMap<>();

    /** Those that may not start; by timeline. */
    private final Map<TimelineId, Stuck> stuck = new ConcurrentHashMap<>();

    private final PeriodicTask task;
    private volatile ToLongFunction<String> limits = _ -> 0;
    private volatile Optional<String> low = Optional.empty();
    private volatile boolean exhausted;

    /**
     * @param endpoints all, as they are at each look
     * @param caches go first when the disk is nearly full
     * @param directory on the file system that everything lies on
     */
    DiskSpace(
            PageService pages,
            Collection<Endpoint> endpoints,
            LocalCaches caches,
            DiskConfiguration configuration,
            Path directory) {
        this.pages = pages;
        this.caches = caches;
        this.endpoints = endpoints;
        this.configuration = configuration;
        this.directory = directory;
        task = PeriodicTask.named("disk-space").every(INTERVAL).start(this::look);
    }

    /** @param limits by endpoint, in bytes, where it has less than all; 0 = as all */
    void limits(ToLongFunction<String> limits) {
        this.limits = limits;
    }

    /** Why a timeline's compute may not grow; empty when it may. */
    Optional<String> full(TimelineId timeline) {
        return low.or(() -> Optional.ofNullable(full.get(timeline)));
    }

    /** Why no compute of a timeline may start; empty when it may. */
    Optional<String> refusal(TimelineId timeline) {
        return exhausted ? low : Optional.ofNullable(stuck.get(timeline)).map(Stuck::why);
    }

    @Override
    public void close() {
        task.close();
    }

    private void look() throws Exception {
        lookAtDisk();
        uses.keySet().removeIf(id -> endpoints.stream().noneMatch(endpoint -> endpoint.runsOn(id)));
        full.keySet().retainAll(uses.keySet());
        stuck.entrySet().removeIf(each -> !takesTooMuch(each.getKey(), each.getValue().endpointId));
        try {
            ForEach.of(endpoints, this::look);
        } finally {
            if (exhausted) {
                endOne();
            }
        }
    }

    private void lookAtDisk() {
        long floor = configuration.minFreeMegabytes() * MEGABYTE;
        // Not a FileStore: that wants a mount point, which is not there below a chroot.
        long free = directory.toFile().getTotalSpace() == 0
                ? Long.MAX_VALUE
                : directory.toFile().getUsableSpace();
        boolean wasLow = low.isPresent();
        exhausted = free < floor / 2;
        low = free < floor
                ? Optional.of("the server's disk has " + free / MEGABYTE + " MB left, and "
                        + configuration.minFreeMegabytes() + " MB stay free (disk.min_free_megabytes)")
                : Optional.empty();
        caches.squeeze(low.isPresent());
        if (low.isPresent() && !wasLow) {
            log.error("No branch grows any more: {}", low.get());
        } else if (low.isEmpty() && wasLow) {
            log.info("Branches grow again: the disk has {} MB left", free / MEGABYTE);
        }
    }

    private long limit(String endpointId) {
        long all = configuration.maxBranchMegabytes() * MEGABYTE;
        long own = limits.applyAsLong(endpointId);
        return all == 0 || own == 0 ? Math.max(all, own) : Math.min(all, own);
    }

    private void look(Endpoint endpoint) throws IOException {
        TimelineId id = endpoint.status().timeline();
        if (!endpoint.runsOn(id)) {
            return;
        }
        long limit = limit(endpoint.status().endpointId());
        @Nullable Use use = uses.get(id);
        if (use != null && (System.nanoTime() - use.due < 0 || (limit == 0 && !exhausted))) {
            return;
        }
        long bytes = limit == 0 && !exhausted ? 0 : bytes(id);
        uses.put(id, new Use(use == null ? bytes : use.first, bytes, System.nanoTime() + pause(limit, bytes)));
        if (limit == 0 || bytes < limit) {
            if (full.remove(id) != null) {
                log.info("{} may grow again: it takes {} MB", endpoint.status().endpointId(), bytes / MEGABYTE);
            }
            return;
        }
        String why = text(bytes, limit);
        boolean told = full.put(id, why) != null;
        if (!told) {
            log.warn(
                    "The tables of {} do not grow any more: {}",
                    endpoint.status().endpointId(),
                    why);
        }
        // Whoever heard of it a moment ago may have written much since the last look.
        if (told && bytes > beyond(limit)) {
            stuck.put(id, new Stuck(endpoint.status().endpointId(), why));
            endpoint.end("its branch takes more than it may: " + why);
        }
    }

    private static long pause(long limit, long bytes) {
        long seconds = limit == 0 ? 0 : Math.clamp((limit - bytes) / FASTEST_DISK, 0, LONGEST_SECONDS);
        return Duration.ofSeconds(seconds).toNanos();
    }

    private static long beyond(long limit) {
        return limit + limit / RESERVE;
    }

    private String text(long bytes, long limit) {
        return "the branch takes " + (bytes > UNKNOWN ? "more than can be measured" : bytes / MEGABYTE + " MB")
                + " of the disk, and " + limit / MEGABYTE + " MB is its limit ("
                + (limit == configuration.maxBranchMegabytes() * MEGABYTE
                        ? "disk.max_branch_megabytes"
                        : "its project's quota logical_size_bytes")
                + ")";
    }

    /** Of one whose compute was ended: whether that still holds without its local files, which went with it. */
    private boolean takesTooMuch(TimelineId id, String endpointId) {
        try {
            long limit = limit(endpointId);
            return limit > 0 && bytes(id) > beyond(limit);
        } catch (NoSuchTimelineException e) {
            return false;
        } catch (IOException e) {
            log.warn("Cannot measure timeline {}", id.value(), e);
            return true;
        }
    }

    private long bytes(TimelineId id) throws IOException {
        Path timeline = pages.timeline(id).layout().directory().toAbsolutePath();
        return DirectoryTree.takenBelow(timeline) + DeletedFiles.below(timeline);
    }

    /**
     * The one that has most in its local files, which are free then; when that is little, one that grows still. One at each look, until there is room
     * again. What somebody else has put on the disk is nobody's fault here: then none is ended.
     */
    private void endOne() throws IOException {
        @Nullable Endpoint most = null;
        long gain = LEAST_GAIN;
        for (Endpoint endpoint : endpoints) {
            TimelineId id = endpoint.status().timeline();
            if (endpoint.runsOn(id) && disposable(id) > gain) {
                most = endpoint;
                gain = disposable(id);
            }
        }
        if (most != null) {
            most.end("its local files take " + gain / MEGABYTE + " MB, more than any other's, and "
                    + low.orElse("the disk is full"));
            return;
        }
        endpoints.stream()
                .filter(endpoint -> grown(endpoint.status().timeline()) > 0)
                .max(Comparator.comparingLong(
                        endpoint -> grown(endpoint.status().timeline())))
                .ifPresent(endpoint -> endpoint.end("it still grows, and " + low.orElse("the disk is full")));
    }

    private long disposable(TimelineId id) throws IOException {
        Path timeline = pages.timeline(id).layout().directory().toAbsolutePath();
        return DirectoryTree.takenBelow(timeline.resolve("local")) + DeletedFiles.below(timeline);
    }

    private long grown(TimelineId id) {
        @Nullable Use use = uses.get(id);
        return use == null ? 0 : use.bytes - use.first;
    }
}
