package dev.coppice.control.activity;

import dev.coppice.common.Lsn;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeListener;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.sql.AdminConnection;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a {@link ComputeWatch} over every running compute, suspends the idle ones, and notes in the catalog, without anybody
 * waiting for it, what woke, stopped and died.
 */
public final class ActivityMonitor implements ComputeListener, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ActivityMonitor.class);

    /** Notes waiting for the catalog; more than this are dropped, they are history and nothing else. */
    private static final int NOTES_MAX = 10_000;

    private static final long NOTES_DRAIN_SECONDS = 5;
    private static final long SYNC_TIMEOUT_SECONDS = 5;

    private final Catalog catalog;
    private final ComputeService computes;
    private final RoleSync roles;
    private final Ids ids;
    private final Clock clock;
    private final int defaultSuspendTimeoutSeconds;
    private final Map<String, ComputeWatch> watches = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor notes = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(NOTES_MAX),
            Thread.ofVirtual().name("activity-notes").factory(),
            (_, _) -> log.debug("Too many notes wait for the catalog; one was dropped"));
    private volatile boolean closed;

    /** @param defaultSuspendTimeoutSeconds for endpoints that do not set their own; negative = never */
    public ActivityMonitor(
            Catalog catalog,
            ComputeService computes,
            RoleSync roles,
            Ids ids,
            Clock clock,
            int defaultSuspendTimeoutSeconds) {
        this.catalog = catalog;
        this.computes = computes;
        this.roles = roles;
        this.ids = ids;
        this.clock = clock;
        this.defaultSuspendTimeoutSeconds = defaultSuspendTimeoutSeconds;
    }

    /** Begins to watch a running compute; nothing happens when the endpoint is not in the inventory (yet). */
    public void watch(String endpointId) {
        Optional<Endpoint> endpoint = catalog.inventory().endpoint(endpointId);
        Optional<ComputeAddress> address = computes.address(endpointId);
        if (closed || endpoint.isEmpty() || address.isEmpty()) {
            return;
        }
        ComputeWatch fresh = new ComputeWatch(
                endpointId,
                endpoint.get().branchId(),
                new AdminConnection(computes.postgresVersion()),
                address.get(),
                catalog.inventory(),
                roles,
                () -> suspendTimeoutSeconds(endpointId),
                () -> suspendIdle(endpointId));
        ComputeWatch before = watches.put(endpointId, fresh);
        if (before != null) {
            before.stop();
        }
        fresh.start();
    }

    /**
     * Watches a running compute that belongs to no branch, for its idleness only; one that is watched already is not idle now.
     *
     * @param onIdle called about once a second from when it has been idle for {@code idleSeconds}; must not block
     */
    public void watchApart(String endpointId, int idleSeconds, Runnable onIdle) {
        Optional<ComputeAddress> address = computes.address(endpointId);
        if (closed || address.isEmpty()) {
            return;
        }
        // Roles are remembered for branches that exist, so those of this one are not.
        ComputeWatch fresh = new ComputeWatch(
                endpointId,
                endpointId,
                new AdminConnection(computes.postgresVersion()),
                address.get(),
                catalog.inventory(),
                roles,
                () -> idleSeconds,
                onIdle);
        ComputeWatch before = watches.putIfAbsent(endpointId, fresh);
        if (before == null) {
            fresh.start();
        } else {
            before.touch();
        }
    }

    /** Somebody is about to connect: the compute is not idle. */
    public void touch(String endpointId) {
        ComputeWatch watch = watches.get(endpointId);
        if (watch != null) {
            watch.touch();
        }
    }

    /**
     * The roles of a running compute, read now; empty when none runs that could be asked.
     *
     * @param mayConnect whether to wait for a connection to it where there is none yet
     */
    public Optional<CompletableFuture<Map<String, LoginRole>>> freshRoles(String endpointId, boolean mayConnect) {
        ComputeWatch watch = watches.get(endpointId);
        return watch == null || computes.state(endpointId) != ComputeState.ACTIVE
                ? Optional.empty()
                : Optional.of(watch.freshRoles(mayConnect));
    }

    /**
     * Suspends an endpoint's compute after reading what was changed in it by SQL. Nothing happens when it does not run.
     *
     * @throws dev.coppice.compute.ComputeException when it does not stop
     */
    public void suspend(String endpointId) {
        ComputeWatch watch = watches.get(endpointId);
        if (watch != null) {
            try {
                CompletableFuture.runAsync(
                                watch::sync,
                                task -> Thread.ofVirtual()
                                        .name("sync-" + endpointId)
                                        .start(task))
                        .get(SYNC_TIMEOUT_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException e) {
                log.warn("Roles of {} could not be read before its suspend", endpointId, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        try {
            computes.suspend(endpointId).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof ComputeException cause ? cause : e;
        }
    }

    /** Suspends an endpoint's compute for good: nobody asks for it again. */
    public void release(String endpointId) {
        suspend(endpointId);
        computes.forget(endpointId);
    }

    /** Suspends every compute, side by side; a failure of one is logged and does not keep the others. */
    public void suspendAll() {
        List<Thread> threads = computes.list().stream()
                .map(status -> Thread.ofVirtual()
                        .name("suspend-" + status.endpointId())
                        .start(() -> {
                            try {
                                suspend(status.endpointId());
                            } catch (RuntimeException e) {
                                log.error("The compute of {} could not be suspended", status.endpointId(), e);
                            }
                        }))
                .toList();
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The last sign of activity: of a running compute to a second or so, of another one when it stopped. */
    public @Nullable Instant lastActive(Endpoint endpoint) {
        ComputeWatch watch = watches.get(endpoint.id());
        return watch == null ? endpoint.lastActive() : clock.instant().minusNanos(watch.idleNanos());
    }

    /** Where the write-ahead log of a running compute ended when it was last looked at; empty when nobody looked yet. */
    public Optional<Lsn> lastLsn(String endpointId) {
        return Optional.ofNullable(watches.get(endpointId)).flatMap(ComputeWatch::lastLsn);
    }

    /** Where it ended when that compute was first looked at. */
    public Optional<Lsn> firstLsn(String endpointId) {
        return Optional.ofNullable(watches.get(endpointId)).flatMap(ComputeWatch::firstLsn);
    }

    /** The timeout that applies to an endpoint; negative = never. */
    public int suspendTimeoutSeconds(String endpointId) {
        Inventory inventory = catalog.inventory();
        Optional<Endpoint> endpoint = inventory.endpoint(endpointId);
        int own = endpoint.map(Endpoint::suspendTimeoutSeconds).orElse(0);
        int ofProject = endpoint.flatMap(found -> inventory.project(found.projectId()))
                .map(project -> project.settings().endpoints().suspendTimeoutSeconds())
                .orElse(0);
        if (own != 0) {
            return own;
        }
        return ofProject == 0 ? defaultSuspendTimeoutSeconds : ofProject;
    }

    @Override
    public void woken(String endpointId) {
        watch(endpointId);
        note(endpointId, "start_compute", true, null);
    }

    @Override
    public void suspended(String endpointId) {
        Instant active = stop(endpointId);
        note(endpointId, "suspend_compute", false, active);
    }

    @Override
    public void crashed(String endpointId, String reason) {
        log.warn("The compute of {} died: {}", endpointId, reason);
        Instant active = stop(endpointId);
        note(endpointId, "suspend_compute", false, active);
    }

    private @Nullable Instant stop(String endpointId) {
        ComputeWatch watch = watches.remove(endpointId);
        if (watch == null) {
            return null;
        }
        watch.stop();
        return clock.instant().minusNanos(watch.idleNanos());
    }

    private void suspendIdle(String endpointId) {
        log.info("Suspending the compute of {}: idle for {} s", endpointId, suspendTimeoutSeconds(endpointId));
        try {
            computes.suspend(endpointId).join();
        } catch (RuntimeException e) {
            log.warn("The compute of {} could not be suspended; it will be tried again", endpointId, e);
        }
    }

    private void note(String endpointId, String action, boolean awake, @Nullable Instant lastActive) {
        notes.execute(() -> {
            Endpoint endpoint = catalog.inventory().endpoint(endpointId).orElse(null);
            if (endpoint == null) {
                return;
            }
            Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
            Instant active = (lastActive == null ? now : lastActive).truncatedTo(ChronoUnit.MICROS);
            Operation operation = new Operation(
                    ids.operation(),
                    endpoint.projectId(),
                    endpoint.branchId(),
                    endpointId,
                    action,
                    Operation.Status.FINISHED,
                    null,
                    null,
                    now,
                    now);
            try {
                catalog.change(
                        endpoint.projectId(),
                        connection -> {
                            Rows.touchEndpoint(connection, endpointId, awake, active);
                            OperationRows.insert(connection, operation);
                        },
                        image -> image.update(endpointId, current -> current.withAwake(awake, active)));
            } catch (ControlException e) {
                log.debug("{} of {} was not recorded: {}", action, endpointId, e.getMessage());
            }
        });
    }

    /** Waits until the notes of computes that have stopped are in the catalog, for a few seconds at most. */
    @Override
    public void close() {
        closed = true;
        watches.values().forEach(ComputeWatch::stop);
        watches.clear();
        notes.shutdown();
        try {
            if (!notes.awaitTermination(NOTES_DRAIN_SECONDS, TimeUnit.SECONDS)) {
                notes.shutdownNow();
            }
        } catch (InterruptedException e) {
            notes.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
