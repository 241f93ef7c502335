package dev.coppice.control.deletion;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.HiddenTimelineRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.catalog.rows.SnapshotRows;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.UnfinishedCreation;
import dev.coppice.control.operation.WakeGate;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.storage.PageService;
import dev.coppice.storage.fault.EpochRunningException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.fault.TimelineHasChildrenException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes branches away: deletions that were decided, creations that failed, and what a kill left of either. */
public final class StorageCleanup {
    private static final Logger log = LoggerFactory.getLogger(StorageCleanup.class);
    private static final int ATTEMPTS = 5;

    private final Catalog catalog;
    private final Inventory inventory;
    private final PageService pages;
    private final HiddenTimelines hidden;
    private final ComputeService computeService;
    private final ActivityMonitor monitor;
    private final TimeTravel travel;
    private final MaskedViews views;
    private final WakeGate gates;
    private final OperationLog operations;
    private final Clock clock;

    public StorageCleanup(
            Catalog catalog,
            PageService pages,
            HiddenTimelines hidden,
            ComputeService computeService,
            ActivityMonitor monitor,
            TimeTravel travel,
            MaskedViews views,
            WakeGate gates,
            OperationLog operations,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.pages = pages;
        this.hidden = hidden;
        this.computeService = computeService;
        this.monitor = monitor;
        this.travel = travel;
        this.views = views;
        this.gates = gates;
        this.operations = operations;
        this.clock = clock;
    }

    /** Finishes the deletion of a branch that is marked as deleted or as being deleted; can be repeated. */
    public void finishBranch(Operation operation, Branch branch) {
        if (branch.state() == BranchState.DELETED) {
            rest(branch);
            operations.finish(operation);
            return;
        }
        removeCompute(branch);
        catalog.change(
                branch.projectId(),
                connection -> {
                    retire(connection, branch);
                    Rows.deleteBranch(connection, branch.id());
                    operations.finish(connection, operation);
                },
                image -> image.removeBranch(branch.id()));
        hidden.sweep();
    }

    /** Stops the compute of a branch that nobody may use any more; its data stays. */
    private void rest(Branch branch) {
        travel.end(branch.id());
        views.end(branch.id());
        try (WakeGate.Closed _ = gates.close(branch.id())) {
            inventory.endpointOfBranch(branch.id()).ifPresent(endpoint -> suspend(endpoint.id()));
            TimelineId timeline = branch.timeline();
            if (pages.exists(timeline) && !pages.timeline(timeline).writerRunning()) {
                computeService.discardLocal(timeline);
            }
        }
    }

    /** Finishes the deletion of a project that can be recovered; can be repeated. */
    public void restProject(Operation operation, String projectId) {
        inventory.deletedBranchesOf(projectId).forEach(this::rest);
        operations.finish(operation);
    }

    /** Finishes the deletion of a project whose branches are all marked as being deleted; can be repeated. */
    public void finishProject(Operation operation, String projectId) {
        Set<Branch> left = new HashSet<>(inventory.branches().stream()
                .filter(branch -> branch.projectId().equals(projectId))
                .toList());
        while (!left.isEmpty()) {
            List<Branch> leaves = left.stream()
                    .filter(branch ->
                            left.stream().noneMatch(other -> branch.id().equals(other.parentId())))
                    .toList();
            for (Branch leaf : leaves) {
                removeCompute(leaf);
                catalog.change(
                        projectId,
                        connection -> {
                            retire(connection, leaf);
                            Rows.deleteBranch(connection, leaf.id());
                        },
                        image -> image.removeBranch(leaf.id()));
                left.remove(leaf);
            }
        }
        catalog.transaction(connection -> {
            SnapshotRows.retireAll(connection, projectId);
            return Boolean.TRUE;
        });
        hidden.sweep();
        catalog.change(
                projectId,
                connection -> {
                    Rows.deleteProject(connection, projectId);
                    operations.finish(connection, operation);
                },
                image -> image.removeProject(projectId));
    }

    /** Undoes a creation whose operation is recorded as running, and records it as failed. */
    public void undo(Operation operation, Throwable reason) {
        if (isUncertain(reason)) {
            return;
        }
        UnfinishedCreation.of(operation).ifPresent(detail -> {
            try {
                suspend(detail.endpointId());
                delete(detail.timeline());
                computeService.forget(detail.endpointId());
            } catch (RuntimeException e) {
                reason.addSuppressed(e);
                log.warn("What {} left could not be removed now; the next start tries again", operation.action(), e);
                return;
            }
            fail(operation, reason);
        });
    }

    /** Records that an operation which leaves nothing behind has failed. */
    public void fail(Operation operation, Throwable reason) {
        if (isUncertain(reason)) {
            return;
        }
        try {
            operations.fail(operation, String.valueOf(reason.getMessage()));
        } catch (ControlException e) {
            reason.addSuppressed(e);
        }
    }

    /** Removes a timeline that nobody ever wrote to. */
    public void removeTimeline(TimelineId timeline, Throwable reason) {
        if (isUncertain(reason)) {
            return;
        }
        try {
            delete(timeline);
        } catch (RuntimeException e) {
            reason.addSuppressed(e);
            log.warn("Timeline {} could not be removed now; the next start does", timeline, e);
        }
    }

    /** Perhaps a row names the timeline: only the next start, which reads the catalog afresh, can tell. */
    private static boolean isUncertain(Throwable reason) {
        return reason instanceof ControlException refused && refused.kind() == ControlException.Kind.UNCERTAIN;
    }

    /** Others may read from the branch's timeline, below the surface: it then stays until they are gone. */
    private void retire(Connection connection, Branch branch) throws SQLException {
        if (pages.exists(branch.timeline())) {
            HiddenTimelineRows.insert(
                    connection,
                    new HiddenTimeline(
                            branch.timelineId(),
                            branch.projectId(),
                            HiddenTimeline.Kind.RETIRED,
                            null,
                            clock.instant()));
        }
    }

    private void removeCompute(Branch branch) {
        travel.end(branch.id());
        views.end(branch.id());
        Optional<Endpoint> endpoint = inventory.endpointOfBranch(branch.id());
        TimelineId timeline = branch.timeline();
        for (int attempt = 1; ; attempt++) {
            endpoint.ifPresent(e -> suspend(e.id()));
            try {
                delete(timeline);
                break;
            } catch (TimelineHasChildrenException e) {
                if (!pages.timeline(timeline).writerRunning()) {
                    log.info("Timeline {} stays until nothing reads from it: {}", timeline, e.getMessage());
                    computeService.discardLocal(timeline);
                    break;
                }
                requireAttempt(attempt, e);
            } catch (EpochRunningException e) {
                requireAttempt(attempt, e);
            }
        }
        endpoint.ifPresent(e -> computeService.forget(e.id()));
    }

    /** A client's wake may have passed its check before the branch was marked: it is suspended again. */
    private static void requireAttempt(int attempt, StorageException reason) {
        if (attempt == ATTEMPTS) {
            throw new ControlException(
                    ControlException.Kind.LOCKED, "the branch's compute does not stop; try again", reason);
        }
    }

    private void suspend(String endpointId) {
        monitor.suspend(endpointId);
    }

    private void delete(TimelineId timeline) {
        if (pages.exists(timeline)) {
            pages.delete(timeline);
        }
    }
}
