package dev.coppice.compute;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.TimelineId;
import dev.coppice.common.config.DiskConfiguration;
import dev.coppice.common.task.ForEach;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.storage.PageService;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes and suspends the computes of endpoints, and knows how each of them is. Thread-safe; every operation runs on a
 * virtual thread of its own, and its future completes on that thread.
 *
 * <p>Computes do not end with this object: {@link #close} lets go of them, and {@link #recover} of a later one, perhaps in
 * another process, takes them over.
 */
public final class ComputeService implements AutoCloseable {
    /**
     * What computes are made of.
     *
     * @param interposer the library for their processes, from {@link InterposerLibrary#prepare}
     * @param runDirectory where each endpoint has its sockets; a short path; logs are in {@code logs/} beside it
     * @param metrics gets timers {@code compute.wake}, {@code compute.wake.<phase>}, {@code compute.suspend...}
     * @param disk what branches may take
     * @param localCacheBytes disk space for local files of suspended computes, all together; negative = a tenth of the disk
     */
    public record Parts(
            PageService pages,
            PostgresBinaries binaries,
            Path interposer,
            ComputeUsers users,
            Path runDirectory,
            ComputeDriver driver,
            MetricRegistry metrics,
            Clock clock,
            long localCacheBytes,
            DiskConfiguration disk) {
        /** With the default budgets. */
        public Parts(
                PageService pages,
                PostgresBinaries binaries,
                Path interposer,
                ComputeUsers users,
                Path runDirectory,
                ComputeDriver driver,
                MetricRegistry metrics,
                Clock clock) {
            this(pages, binaries, interposer, users, runDirectory, driver, metrics, clock, -1);
        }

        /** With the default limits of the disk. */
        public Parts(
                PageService pages,
                PostgresBinaries binaries,
                Path interposer,
                ComputeUsers users,
                Path runDirectory,
                ComputeDriver driver,
                MetricRegistry metrics,
                Clock clock,
                long localCacheBytes) {
            this(
                    pages,
                    binaries,
                    interposer,
                    users,
                    runDirectory,
                    driver,
                    metrics,
                    clock,
                    localCacheBytes,
                    DiskConfiguration.DEFAULTS);
        }
    }

    private static final Logger log = LoggerFactory.getLogger(ComputeService.class);

    /** Beside the run directory; only the server enters it. */
    private static final String LOGS = "logs";

    private static final Duration LOG_CHECK_INTERVAL = Duration.ofSeconds(10);
    private static final Duration THROTTLE_INTERVAL = Duration.ofMillis(100);

    /** Of computes that are slowed down because they write faster than is flushed. */
    private static final String SLOWED = "compute.slowed";

    private final PageService pages;
    private final Path logDirectory;
    private final Clock clock;
    private final Isolation isolation;
    private final int postgresVersion;
    private final ComputeLifecycle lifecycle;
    private final Map<String, Endpoint> endpoints = new ConcurrentHashMap<>();
    private final List<ComputeListener> listeners = new CopyOnWriteArrayList<>();
    private final PeriodicTask logLimiter;
    private final LocalCaches caches;
    private final DiskSpace disk;
    private final PeriodicTask throttling;
    private final ComputeStart start;

    /**
     * Makes the run directory and checks that the computes' user can come to everything; starts nothing.
     *
     * @throws ComputeException saying what to change on this machine
     */
    public ComputeService(Parts parts) {
        pages = parts.pages();
        clock = parts.clock();
        isolation = parts.driver().isolation();
        postgresVersion = parts.binaries().majorVersion();
        ComputeUsers users = parts.users();
        users.keepOnly(pages.timelines());
        Path runDirectory = parts.runDirectory().toAbsolutePath();
        logDirectory = runDirectory.resolveSibling(LOGS);
        try {
            Files.createDirectories(runDirectory);
            // Others may pass, not look: each endpoint's own directory is private.
            Files.setPosixFilePermissions(runDirectory, PosixFilePermissions.fromString("rwx--x--x"));
            DurableFiles.createPrivateDirectory(logDirectory);
        } catch (IOException e) {
            throw new ComputeException("cannot make the run directory " + runDirectory, e);
        }
        ComputeUser user = users.named(TemplateCluster.USER);
        user.requireReach(parts.binaries().bin());
        user.requireReach(parts.interposer());
        user.requireReach(runDirectory);
        lifecycle = new ComputeLifecycle(
                pages,
                parts.binaries(),
                parts.interposer(),
                users,
                runDirectory,
                logDirectory,
                parts.driver(),
                parts.metrics());
        start = new ComputeStart(lifecycle, pages, parts.binaries());
        logLimiter = PeriodicTask.named("compute-log-limiter")
                .every(LOG_CHECK_INTERVAL)
                .start(() ->
                        ForEach.of(endpoints.keySet(), id -> lifecycle.log(id).limit()));
        caches = new LocalCaches(pages, lifecycle, parts.localCacheBytes());
        disk = new DiskSpace(pages, endpoints.values(), caches, parts.disk(), runDirectory);
        throttling = PeriodicTask.named("write-throttle")
                .every(THROTTLE_INTERVAL)
                .start(() -> ForEach.of(endpoints.values(), endpoint -> endpoint.throttle(disk)));
        parts.metrics().remove(SLOWED);
        parts.metrics()
                .gauge(
                        SLOWED,
                        () -> () -> endpoints.values().stream()
                                .filter(endpoint -> endpoint.writeDelayMicroseconds() > 0)
                                .count());
        listeners.add(new ComputeListener() {
            @Override
            public void suspended(String endpointId) {
                caches.changed();
            }
        });
    }

    /**
     * Takes over what an earlier server left: running computes are adopted, the remains of others cleaned up. Call it once,
     * after adding listeners and before the first wake.
     */
    public void recover() {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (TimelineId id : pages.timelines()) {
                // A record without an open epoch: the compute itself has written that its epoch ended.
                if (pages.timeline(id).epochOpen() || lifecycle.hasRecord(pages.timeline(id))) {
                    threads.execute(() -> recover(id));
                }
            }
        }
        // The budget may have been another then.
        caches.changed();
    }

    private void recover(TimelineId id) {
        try {
            Optional<RunningCompute> adopted = lifecycle.adopt(pages.timeline(id));
            if (adopted.isEmpty()) {
                log.info("Ended the epoch that a compute on timeline {} left open", id.value());
                return;
            }
            RunningCompute compute = adopted.get();
            log.info(
                    "Adopted the compute of {}, process {}",
                    compute.endpointId(),
                    compute.instance().pid());
            endpoint(compute.endpointId(), id).adopted(compute);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // One broken timeline must not keep the others from their users; its next wake tries again.
            log.error("Cannot take over the compute on timeline {}", id.value(), e);
        }
    }

    /**
     * Makes sure that an endpoint's compute runs. Callers during one start share it; during a suspend the start follows.
     *
     * <p>A compute may die at any moment: whoever cannot connect to the address asks again.
     *
     * @return the address when it accepts connections; fails with {@link ComputeException}, also when another endpoint has
     *     the timeline
     */
    public CompletableFuture<ComputeAddress> wake(ComputeSpec spec) {
        return endpoint(spec.endpointId(), spec.timeline()).wake(spec);
    }

    /**
     * Stops an endpoint's compute cleanly, disconnecting its clients; without force only as long as it takes to write a
     * checkpoint, two minutes at most. Local files stay as a cache. Nothing happens when it does not run.
     */
    public CompletableFuture<Void> suspend(String endpointId) {
        @Nullable Endpoint endpoint = endpoints.get(endpointId);
        return endpoint == null ? CompletableFuture.completedFuture(null) : endpoint.suspend();
    }

    /** Suspends every compute; completes when all have ended, and fails when one could not. */
    public CompletableFuture<Void> suspendAll() {
        return CompletableFuture.allOf(
                endpoints.values().stream().map(Endpoint::suspend).toArray(CompletableFuture<?>[]::new));
    }

    /**
     * Says which branches may take less of the disk than all.
     *
     * @param limits by endpoint, in bytes; 0 = as all
     */
    public void limitDisk(ToLongFunction<String> limits) {
        disk.limits(limits);
    }

    /** Why a timeline's compute may not start now, because of the disk; empty when it may. */
    public Optional<String> noRoomFor(TimelineId id) {
        return disk.refusal(id);
    }

    /** How well computes are kept from each other and from the machine; found once, at the start. */
    public Isolation isolation() {
        return isolation;
    }

    /** The state of an endpoint's compute; idle for one never heard of. */
    public ComputeState state(String endpointId) {
        return status(endpointId).map(ComputeStatus::state).orElse(ComputeState.IDLE);
    }

    /** More about an endpoint's compute; empty for one never heard of since this object was made. */
    public Optional<ComputeStatus> status(String endpointId) {
        return Optional.ofNullable(endpoints.get(endpointId)).map(Endpoint::status);
    }

    /** How long an endpoint's compute waits before each page it writes, in microseconds; 0 unless it is slowed down. */
    public int writeDelayMicroseconds(String endpointId) {
        @Nullable Endpoint endpoint = endpoints.get(endpointId);
        return endpoint == null ? 0 : endpoint.writeDelayMicroseconds();
    }

    /** Every endpoint that this object ever woke or adopted, and has not forgotten. */
    public List<ComputeStatus> list() {
        return endpoints.values().stream().map(Endpoint::status).toList();
    }

    /** Switches off by SQL what a copy inherited and would do in its parent's name. */
    @FunctionalInterface
    public interface Detacher {
        /**
         * Works on a compute that nobody else can reach, and that is stopped then.
         *
         * @return what was switched off, in words for people
         * @throws RuntimeException when it cannot be done; the compute is not started for anybody then
         */
        List<String> detach(ComputeAddress address);
    }

    /** Sees to a branch's compute when it has started, before anybody else can reach it. */
    @FunctionalInterface
    public interface Admission {
        /** @throws RuntimeException when the compute must not be used; it is stopped then */
        void admit(String endpointId, TimelineId timeline, ComputeAddress address);
    }

    /** Says who; call it before the first wake. */
    public void admitBy(Admission admission) {
        start.admission(admission);
    }

    /** Says how; call it before the first wake. */
    public void detachWith(Detacher detacher) {
        start.detacher(detacher);
    }

    /** Of a timeline that was just made: what it inherited is switched off before its first client comes in. Durable. */
    public void detachAtFirstStart(TimelineId id) {
        Detachment.require(pages.timeline(id));
    }

    /** Takes {@link #detachAtFirstStart} back. */
    public void stayAttached(TimelineId id) {
        try {
            Detachment.of(pages.timeline(id)).cancel();
        } catch (IOException e) {
            throw new ComputeException("cannot take back the mark of timeline " + id.value(), e);
        }
    }

    /** What was switched off in a timeline since it was made, in words for people. */
    public List<String> switchedOff(TimelineId id) {
        return Detachment.of(pages.timeline(id)).switchedOff();
    }

    /** The settings that an endpoint's compute runs without because Postgres did not start with them; the reason by name. */
    public Map<String, String> leftOut(String endpointId) {
        return start.leftOut(endpointId);
    }

    /** The major version of all computes' Postgres. */
    public int postgresVersion() {
        return postgresVersion;
    }

    /** Where an endpoint's compute listens; empty while none runs. */
    public Optional<ComputeAddress> address(String endpointId) {
        return Optional.ofNullable(endpoints.get(endpointId)).flatMap(Endpoint::address);
    }

    public void addListener(ComputeListener listener) {
        listeners.add(listener);
    }

    /**
     * Throws away a suspended timeline's local files, because its content has changed under them or its space is wanted.
     *
     * @throws ComputeException while a compute runs on it
     */
    public void discardLocal(TimelineId id) {
        try {
            lifecycle.discardLocal(id);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ComputeException("interrupted", e);
        } catch (IOException e) {
            throw new ComputeException("cannot discard the local files of timeline " + id.value(), e);
        }
    }

    /** What a timeline's local files take on disk, in bytes, measured now; they can be thrown away while it is suspended. */
    public long localCacheBytes(TimelineId id) {
        try {
            return lifecycle.local(pages.timeline(id)).bytes();
        } catch (IOException e) {
            throw new ComputeException("cannot measure the local files of timeline " + id.value(), e);
        }
    }

    /** Removes a deleted endpoint's run directory and log. Its compute has to be suspended. */
    public void forget(String endpointId) {
        if (state(endpointId) != ComputeState.IDLE && state(endpointId) != ComputeState.FAILED) {
            throw new ComputeException("the compute of endpoint " + endpointId + " is " + state(endpointId));
        }
        endpoints.remove(endpointId);
        start.forget(endpointId);
        try {
            DurableFiles.deleteRecursively(lifecycle.run(endpointId).directory());
            lifecycle.log(endpointId).delete();
        } catch (IOException e) {
            throw new ComputeException("cannot delete the run directory of endpoint " + endpointId, e);
        }
    }

    /** The names of the directories that computes run in, of whatever endpoints, now or before. */
    public Set<String> runDirectories() {
        try {
            return lifecycle.runDirectories();
        } catch (IOException e) {
            throw new ComputeException("cannot list the run directories", e);
        }
    }

    /** Lets go of all computes without ending them: they run on, and wait when they miss a page. */
    @Override
    public void close() {
        logLimiter.close();
        throttling.close();
        disk.close();
        caches.close();
        endpoints.values().forEach(Endpoint::detach);
    }

    private Endpoint endpoint(String id, TimelineId timeline) {
        return endpoints.computeIfAbsent(id, key -> new Endpoint(key, timeline, start, lifecycle, this::tell, clock));
    }

    private void tell(Consumer<ComputeListener> event) {
        for (ComputeListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (RuntimeException e) {
                log.error("A listener failed", e);
            }
        }
    }
}
