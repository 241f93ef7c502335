package dev.coppice.control.endpoint;

import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.operation.OperationLog;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import tools.jackson.databind.json.JsonMapper;

/** Makes, changes, starts, suspends and deletes endpoints. */
public final class EndpointWorkflows {
    private static final int SUSPEND_TIMEOUT_MAX_SECONDS = 604_800;
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final ComputeService computeService;
    private final Computes computes;
    private final ActivityMonitor monitor;
    private final BranchLocks locks;
    private final OperationLog operations;
    private final Ids ids;
    private final Clock clock;

    public EndpointWorkflows(
            Catalog catalog,
            Finder finder,
            ComputeService computeService,
            Computes computes,
            ActivityMonitor monitor,
            BranchLocks locks,
            OperationLog operations,
            Ids ids,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.computeService = computeService;
        this.computes = computes;
        this.monitor = monitor;
        this.locks = locks;
        this.operations = operations;
        this.ids = ids;
        this.clock = clock;
    }

    /** What an endpoint goes back to when its new settings do not do. */
    private record Before(int suspendTimeoutSeconds, boolean disabled, EndpointSettings settings) {}

    public static void checkSuspendTimeout(int seconds) {
        if (seconds < -1 || seconds > SUSPEND_TIMEOUT_MAX_SECONDS) {
            throw ControlException.invalid("suspend_timeout_seconds: must be -1 (never), 0 (the default) or 1 to "
                    + SUSPEND_TIMEOUT_MAX_SECONDS);
        }
    }

    /** An endpoint to be made. */
    public record Request(
            String branchId, String type, int suspendTimeoutSeconds, boolean disabled, EndpointSettings settings) {}

    /**
     * Gives a branch its endpoint.
     *
     * @throws ControlException CONFLICT when it has one; UNPROCESSABLE for another type than read_write
     */
    public Endpoint create(String projectId, Request request) {
        checkSuspendTimeout(request.suspendTimeoutSeconds());
        ComputeSizes.check(request.settings());
        if (!request.type().equals(Endpoint.READ_WRITE)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "endpoint.type: \"" + request.type()
                            + "\" is not supported; only read_write endpoints are. To read a"
                            + " past moment, connect to database@branch@moment");
        }
        locks.family().readLock().lock();
        try (BranchLocks.Hold _ = changing(finder.branch(projectId, request.branchId()))) {
            Branch branch = finder.branch(projectId, request.branchId());
            if (inventory.endpointOfBranch(branch.id()).isPresent()) {
                throw ControlException.conflict(
                        "read_write endpoint already exists on branch \"" + branch.name() + "\"");
            }
            Instant now = clock.instant();
            Endpoint endpoint = new Endpoint(
                    ids.endpoint(),
                    projectId,
                    branch.id(),
                    request.type(),
                    request.suspendTimeoutSeconds(),
                    request.disabled(),
                    request.settings(),
                    false,
                    null,
                    now,
                    now);
            catalog.change(projectId, connection -> Rows.insert(connection, endpoint), image -> image.put(endpoint));
            return endpoint;
        } finally {
            locks.family().readLock().unlock();
        }
    }

    /**
     * Changes an endpoint's settings. A disabled one is suspended. A running compute is restarted when it is to have another
     * size or other parameters; with other parameters one that sleeps is started, to see whether it can.
     *
     * @param wanted of what is set now, which may be newer than what the caller saw; called more than once
     * @throws ControlException UNPROCESSABLE when Postgres does not start with these parameters; nothing is changed then
     */
    public Endpoint update(String projectId, String endpointId, Function<Endpoint, Wanted> wanted) {
        Branch branch =
                finder.branch(projectId, finder.endpoint(projectId, endpointId).branchId());
        // Whoever changes it at the same time waits: a trial must not take back what another has set.
        ReentrantLock turn = catalog.turn(endpointId);
        turn.lock();
        try (BranchLocks.Hold _ = changing(branch)) {
            Endpoint before = finder.endpoint(projectId, endpointId);
            Wanted now = wanted.apply(before);
            checkSuspendTimeout(now.suspendTimeoutSeconds);
            ComputeSizes.check(now.settings);
            boolean disabled = now.disabled;
            EndpointSettings settings = now.settings;
            Endpoint changed = before.with(now.suspendTimeoutSeconds, disabled, settings, clock.instant());
            if (!disabled && !settings.postgres().equals(before.settings().postgres())) {
                tryOut(before, changed);
                return finder.endpoint(projectId, endpointId);
            }
            store(changed, _ -> {});
            if (disabled) {
                suspendNow(before);
            } else if (!Objects.equals(
                            settings.maxComputeUnits(), before.settings().maxComputeUnits())
                    && computeService.state(endpointId) == ComputeState.ACTIVE) {
                restartNow(before);
            }
        } finally {
            turn.unlock();
        }
        return finder.endpoint(projectId, endpointId);
    }

    /** What an endpoint is to be like. */
    public record Wanted(int suspendTimeoutSeconds, boolean disabled, EndpointSettings settings) {}

    private void store(Endpoint changed, Catalog.Change more) {
        var _ = catalog.changeRows(
                changed.projectId(),
                connection -> {
                    Endpoint row = Rows.changeEndpoint(
                            connection,
                            changed.id(),
                            current -> current.with(
                                    changed.suspendTimeoutSeconds(),
                                    changed.disabled(),
                                    changed.settings(),
                                    changed.updatedAt()));
                    more.run(connection);
                    return row;
                },
                (image, _) -> image.update(
                        changed.id(),
                        current -> current.with(
                                changed.suspendTimeoutSeconds(),
                                changed.disabled(),
                                changed.settings(),
                                changed.updatedAt())));
    }

    /** Whether Postgres starts with new settings is only seen when it does; until then an operation has the old ones. */
    private void tryOut(Endpoint before, Endpoint changed) {
        Operation trial = operations.draft(
                before.projectId(),
                before.branchId(),
                before.id(),
                Operation.APPLY_CONFIG,
                Operation.Status.RUNNING,
                JSON.writeValueAsString(
                        new Before(before.suspendTimeoutSeconds(), before.disabled(), before.settings())));
        store(changed, connection -> OperationRows.insert(connection, trial));
        try {
            restartNow(before);
            requireTaken(changed);
        } catch (ControlException e) {
            store(before, connection -> operations.fail(connection, trial, e.getMessage()));
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "endpoint.settings.pg_settings: Postgres does not start with these, so they were not taken: "
                            + e.getMessage(),
                    e);
        }
        operations.finish(trial);
    }

    /** A compute starts without settings that keep it from starting; here that means that they are wrong. */
    private void requireTaken(Endpoint changed) {
        Map<String, String> leftOut = new TreeMap<>(computeService.leftOut(changed.id()));
        leftOut.keySet().retainAll(changed.settings().postgres().keySet());
        if (!leftOut.isEmpty()) {
            suspendNow(changed);
            throw new ControlException(ControlException.Kind.UNAVAILABLE, String.join("; ", leftOut.values()));
        }
    }

    /** Puts back what an endpoint had before settings whose trial a restart interrupted. */
    public void takeBack(Operation trial) {
        Before before = JSON.readValue(Objects.requireNonNullElse(trial.detail(), "{}"), Before.class);
        Catalog.Change failed = connection -> operations.fail(connection, trial, "interrupted by a restart");
        Optional<Endpoint> endpoint = Optional.ofNullable(trial.endpointId()).flatMap(inventory::endpoint);
        if (endpoint.isEmpty()) {
            catalog.change(trial.projectId(), failed, _ -> {});
            return;
        }
        // It may run with what is taken back.
        suspendNow(endpoint.get());
        store(
                endpoint.get()
                        .with(before.suspendTimeoutSeconds(), before.disabled(), before.settings(), clock.instant()),
                failed);
    }

    private void restartNow(Endpoint endpoint) {
        suspendNow(endpoint);
        Branch branch = finder.branch(endpoint.projectId(), endpoint.branchId());
        computes.awake(endpoint.id(), branch.timeline());
        monitor.touch(endpoint.id());
    }

    /** Suspends the endpoint's compute, whoever is connected, and wakes it; returns when it accepts connections. */
    public Endpoint restart(String projectId, String endpointId) {
        Endpoint endpoint = enabled(projectId, endpointId);
        try (BranchLocks.Hold _ = changing(finder.branch(projectId, endpoint.branchId()))) {
            restartNow(endpoint);
        }
        return endpoint;
    }

    private Endpoint enabled(String projectId, String endpointId) {
        Endpoint endpoint = finder.endpoint(projectId, endpointId);
        if (endpoint.disabled()) {
            throw new ControlException(
                    ControlException.Kind.PRECONDITION, "endpoint \"" + endpointId + "\" is disabled; enable it first");
        }
        return endpoint;
    }

    /** Wakes the endpoint's compute; returns when it accepts connections. Works while the catalog is away. */
    public Endpoint start(String projectId, String endpointId) {
        Endpoint endpoint = enabled(projectId, endpointId);
        try (BranchLocks.Hold _ = changing(finder.branch(projectId, endpoint.branchId()))) {
            Branch branch = finder.branch(projectId, endpoint.branchId());
            computes.awake(endpointId, branch.timeline());
            monitor.touch(endpointId);
        }
        return endpoint;
    }

    /** Suspends the endpoint's compute, whoever is connected; returns when it is gone. Works while the catalog is away. */
    public Endpoint suspend(String projectId, String endpointId) {
        Endpoint endpoint = finder.endpoint(projectId, endpointId);
        suspendNow(endpoint);
        return endpoint;
    }

    /** Deletes the endpoint; the branch and its data stay, and cannot be connected to. */
    public Endpoint delete(String projectId, String endpointId) {
        Endpoint endpoint = finder.endpoint(projectId, endpointId);
        try (BranchLocks.Hold _ = changing(finder.branch(projectId, endpoint.branchId()))) {
            catalog.change(
                    projectId,
                    connection -> Rows.deleteEndpoint(connection, endpointId),
                    image -> image.removeEndpoint(endpointId));
            suspendNow(endpoint);
            computeService.forget(endpointId);
        }
        return endpoint;
    }

    private BranchLocks.Hold changing(Branch branch) {
        return locks.shared(branch, "changed");
    }

    private void suspendNow(Endpoint endpoint) {
        try {
            monitor.suspend(endpoint.id());
        } catch (ComputeException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "the compute could not be suspended: " + e.getMessage(), e);
        }
    }
}
