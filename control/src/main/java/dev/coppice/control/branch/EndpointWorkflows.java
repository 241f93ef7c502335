package dev.coppice.control.branch;

import dev.coppice.compute.ComputeException;
import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.Endpoint;
import dev.coppice.control.catalog.Rows;
import dev.coppice.control.error.ControlException;
import java.time.Instant;

/** Makes, changes, starts, suspends and deletes endpoints. */
public final class EndpointWorkflows {
    private static final int SUSPEND_TIMEOUT_MAX_SECONDS = 604_800;

    private final Workshop shop;

    public EndpointWorkflows(Workshop shop) {
        this.shop = shop;
    }

    static void checkSuspendTimeout(int seconds) {
        if (seconds < -1 || seconds > SUSPEND_TIMEOUT_MAX_SECONDS) {
            throw ControlException.invalid("suspend_timeout_seconds: must be -1 (never), 0 (the default) or 1 to "
                    + SUSPEND_TIMEOUT_MAX_SECONDS);
        }
    }

    /**
     * Gives a branch its endpoint.
     *
     * @throws ControlException CONFLICT when it has one; UNPROCESSABLE for another type than read_write
     */
    public Endpoint create(String projectId, String branchId, String type, int suspendTimeoutSeconds) {
        checkSuspendTimeout(suspendTimeoutSeconds);
        if (!type.equals(Endpoint.READ_WRITE)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "endpoint.type: \"" + type + "\" is not supported; only read_write endpoints are");
        }
        shop.family().readLock().lock();
        try (BranchLocks.Hold _ = changing(shop.branch(projectId, branchId))) {
            Branch branch = shop.branch(projectId, branchId);
            if (shop.inventory().endpointOfBranch(branchId).isPresent()) {
                throw ControlException.conflict(
                        "read_write endpoint already exists on branch \"" + branch.name() + "\"");
            }
            Instant now = shop.now();
            Endpoint endpoint = new Endpoint(
                    shop.ids().endpoint(),
                    projectId,
                    branchId,
                    type,
                    suspendTimeoutSeconds,
                    false,
                    false,
                    null,
                    now,
                    now);
            shop.catalog()
                    .change(projectId, connection -> Rows.insert(connection, endpoint), image -> image.put(endpoint));
            return endpoint;
        } finally {
            shop.family().readLock().unlock();
        }
    }

    public Endpoint setSuspendTimeout(String projectId, String endpointId, int seconds) {
        checkSuspendTimeout(seconds);
        Endpoint changed = shop.endpoint(projectId, endpointId).withSuspendTimeout(seconds, shop.now());
        shop.catalog()
                .change(
                        projectId,
                        connection -> Rows.updateSettings(connection, changed),
                        image -> image.update(
                                endpointId, current -> current.withSuspendTimeout(seconds, changed.updatedAt())));
        return shop.endpoint(projectId, endpointId);
    }

    /** Wakes the endpoint's compute; returns when it accepts connections. Works while the catalog is away. */
    public Endpoint start(String projectId, String endpointId) {
        Endpoint endpoint = shop.endpoint(projectId, endpointId);
        try (BranchLocks.Hold _ = changing(shop.branch(projectId, endpoint.branchId()))) {
            Branch branch = shop.branch(projectId, endpoint.branchId());
            shop.computes().awake(endpointId, Workshop.timeline(branch));
            shop.monitor().touch(endpointId);
        }
        return endpoint;
    }

    /** Suspends the endpoint's compute, whoever is connected; returns when it is gone. Works while the catalog is away. */
    public Endpoint suspend(String projectId, String endpointId) {
        Endpoint endpoint = shop.endpoint(projectId, endpointId);
        suspendNow(endpoint);
        return endpoint;
    }

    /** Deletes the endpoint; the branch and its data stay, and cannot be connected to. */
    public Endpoint delete(String projectId, String endpointId) {
        Endpoint endpoint = shop.endpoint(projectId, endpointId);
        try (BranchLocks.Hold _ = changing(shop.branch(projectId, endpoint.branchId()))) {
            shop.catalog()
                    .change(
                            projectId,
                            connection -> Rows.deleteEndpoint(connection, endpointId),
                            image -> image.removeEndpoint(endpointId));
            suspendNow(endpoint);
            shop.computeService().forget(endpointId);
        }
        return endpoint;
    }

    private BranchLocks.Hold changing(Branch branch) {
        return shop.locks().shared(branch, "changed");
    }

    private void suspendNow(Endpoint endpoint) {
        try {
            shop.monitor().suspend(endpoint.id());
        } catch (ComputeException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "the compute could not be suspended: " + e.getMessage(), e);
        }
    }
}
