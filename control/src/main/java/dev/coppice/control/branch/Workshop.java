package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.activity.RoleSync;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.secret.SecretBox;
import dev.coppice.control.secret.Tokens;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.storage.BranchPoint;
import dev.coppice.storage.ChainTooLongException;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * What all workflows work with, and the look-ups that they share.
 *
 * @param family read lock: making a branch; write lock: deciding that something may be deleted. So no branch gets a child
 *     after it was found to have none
 * @param locks who works with a branch just now
 * @param gate where wakes wait while a branch moves to another timeline
 * @param hidden the timelines that belong to no branch
 * @param travel the computes of past moments
 * @param views what masked roles see
 * @param recovery how long what was deleted can be recovered
 * @param masking keys and clean points of anonymized branches
 * @param random for salts
 */
public record Workshop(
        Catalog catalog,
        PageService pages,
        ComputeService computeService,
        ComputeSettings computeSettings,
        ActivityMonitor monitor,
        RoleSync roleSync,
        SecretBox secrets,
        Tokens tokens,
        Ids ids,
        SecureRandom random,
        Clock clock,
        int pgVersion,
        ReentrantReadWriteLock family,
        BranchLocks locks,
        WakeGate gate,
        HiddenTimelines hidden,
        TimeTravel travel,
        MaskedViews views,
        RecoveryWindow recovery,
        Masking masking) {

    /** The same with another masking: for tests that leave protections out. */
    public Workshop with(Masking other) {
        return new Workshop(
                catalog,
                pages,
                computeService,
                computeSettings,
                monitor,
                roleSync,
                secrets,
                tokens,
                ids,
                random,
                clock,
                pgVersion,
                family,
                locks,
                gate,
                hidden,
                travel,
                views,
                recovery,
                other);
    }

    Inventory inventory() {
        return catalog.inventory();
    }

    Computes computes() {
        ComputeSizes sizes = new ComputeSizes(inventory(), computeSettings);
        return new Computes(computeService, sizes::of, sizes::reach);
    }

    /** What the owners of branches may do. */
    public OwnerPowers powers() {
        return new OwnerPowers(inventory(), computeService, pages);
    }

    AdminConnection admin() {
        return new AdminConnection(computeService.postgresVersion());
    }

    PointResolver resolver() {
        return new PointResolver(pages, inventory(), monitor, clock);
    }

    /** Makes a timeline that begins at a point, and keeps as much history as its project's others. */
    void createTimeline(TimelineId id, BranchPoint point, Duration retention) {
        try {
            pages.createBranch(id, point);
        } catch (ChainTooLongException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "nothing can be made from this branch: it has " + Timeline.MAX_DEPTH
                            + " ancestors, the most there may be; make it from a branch further up",
                    e);
        }
        pages.setRetention(id, retention);
        MaskingAudit.note(catalog, pages, id);
        computeService.detachAtFirstStart(id);
        catalog.steps().between();
    }

    /** Now, as the catalog can store it. */
    Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MICROS);
    }

    Project project(String id) {
        return inventory().project(id).orElseThrow(() -> ControlException.notFound("project \"" + id + "\" not found"));
    }

    /** A branch of the project that is not being deleted. */
    Branch branch(String projectId, String branchId) {
        project(projectId);
        return inventory()
                .branch(branchId)
                .filter(branch -> branch.projectId().equals(projectId) && !branch.isGone())
                .orElseThrow(() -> ControlException.notFound("branch \"" + branchId + "\" not found"));
    }

    Endpoint endpoint(String projectId, String endpointId) {
        project(projectId);
        return inventory()
                .endpoint(endpointId)
                .filter(endpoint ->
                        endpoint.projectId().equals(projectId) && inventory().isShown(endpoint))
                .orElseThrow(() -> ControlException.notFound("endpoint \"" + endpointId + "\" not found"));
    }

    /** The endpoint to run SQL through. */
    Endpoint endpointOf(Branch branch) {
        return inventory()
                .endpointOfBranch(branch.id())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.PRECONDITION,
                        "branch \"" + branch.name() + "\" has no compute; create an endpoint for it first"));
    }

    static TimelineId timeline(Branch branch) {
        return new TimelineId(branch.timelineId());
    }

    Operation operation(
            String projectId,
            @Nullable String branchId,
            @Nullable String endpointId,
            String action,
            Operation.Status status,
            @Nullable String detail) {
        Instant now = now();
        return new Operation(ids.operation(), projectId, branchId, endpointId, action, status, null, detail, now, now);
    }
}
