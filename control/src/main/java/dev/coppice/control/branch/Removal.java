package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.HiddenTimelineRows;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.catalog.rows.SnapshotRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.EpochRunningException;
import dev.coppice.storage.StorageException;
import dev.coppice.storage.TimelineHasChildrenException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes branches away: deletions that were decided, creations that failed, and what a kill left of either. */
final class Removal {
    private static final Logger log = LoggerFactory.getLogger(Removal.class);
    private static final int ATTEMPTS = 5;

    private final Workshop shop;

    Removal(Workshop shop) {
        this.shop = shop;
    }

    /** What an unfinished creation needs to be undone: stored as {@code <timeline> <endpoint>}. */
    record Detail(TimelineId timeline, String endpointId) {
        String text() {
            return timeline.value() + " " + endpointId;
        }

        static Optional<Detail> of(Operation operation) {
            String text = operation.detail();
            int space = text == null ? -1 : text.indexOf(' ');
            return text == null || space < 0
                    ? Optional.empty()
                    : Optional.of(new Detail(new TimelineId(text.substring(0, space)), text.substring(space + 1)));
        }
    }

    /** Finishes the deletion of a branch that is marked as deleted or as being deleted; can be repeated. */
    void finishBranch(Operation operation, Branch branch) {
        if (branch.state() == BranchState.DELETED) {
            rest(branch);
            finish(operation);
            return;
        }
        removeCompute(branch);
        shop.catalog()
                .change(
                        branch.projectId(),
                        connection -> {
                            retire(connection, branch);
                            Rows.deleteBranch(connection, branch.id());
                            OperationRows.finish(
                                    connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                        },
                        image -> image.removeBranch(branch.id()));
        shop.hidden().sweep();
    }

    private void finish(Operation operation) {
        shop.catalog().transaction(connection -> {
            OperationRows.finish(connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
            return Boolean.TRUE;
        });
    }

    /** Stops the compute of a branch that nobody may use any more; its data stays. */
    private void rest(Branch branch) {
        shop.travel().end(branch.id());
        shop.views().end(branch.id());
        try (WakeGate.Closed _ = shop.gate().close(branch.id())) {
            shop.inventory().endpointOfBranch(branch.id()).ifPresent(endpoint -> suspend(endpoint.id()));
            TimelineId timeline = Workshop.timeline(branch);
            if (shop.pages().exists(timeline)
                    && !shop.pages().timeline(timeline).writerRunning()) {
                shop.computeService().discardLocal(timeline);
            }
        }
    }

    /** Finishes the deletion of a project that can be recovered; can be repeated. */
    void restProject(Operation operation, String projectId) {
        shop.inventory().deletedBranchesOf(projectId).forEach(this::rest);
        finish(operation);
    }

    /** Finishes the deletion of a project whose branches are all marked as being deleted; can be repeated. */
    void finishProject(Operation operation, String projectId) {
        Set<Branch> left = new HashSet<>(shop.inventory().branches().stream()
                .filter(branch -> branch.projectId().equals(projectId))
                .toList());
        while (!left.isEmpty()) {
            List<Branch> leaves = left.stream()
                    .filter(branch ->
                            left.stream().noneMatch(other -> branch.id().equals(other.parentId())))
                    .toList();
            for (Branch leaf : leaves) {
                removeCompute(leaf);
                shop.catalog()
                        .change(
                                projectId,
                                connection -> {
                                    retire(connection, leaf);
                                    Rows.deleteBranch(connection, leaf.id());
                                },
                                image -> image.removeBranch(leaf.id()));
                left.remove(leaf);
            }
        }
        shop.catalog().transaction(connection -> {
            SnapshotRows.retireAll(connection, projectId);
            return Boolean.TRUE;
        });
        shop.hidden().sweep();
        shop.catalog()
                .change(
                        projectId,
                        connection -> {
                            Rows.deleteProject(connection, projectId);
                            OperationRows.finish(
                                    connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                        },
                        image -> image.removeProject(projectId));
    }

    /** Undoes a creation whose operation is recorded as running, and records it as failed. */
    void undo(Operation operation, Throwable reason) {
        if (isUncertain(reason)) {
            return;
        }
        Detail.of(operation).ifPresent(detail -> {
            try {
                suspend(detail.endpointId());
                delete(detail.timeline());
                shop.computeService().forget(detail.endpointId());
            } catch (RuntimeException e) {
                reason.addSuppressed(e);
                log.warn("What {} left could not be removed now; the next start tries again", operation.action(), e);
                return;
            }
            fail(operation, reason);
        });
    }

    /** Records that an operation which leaves nothing behind has failed. */
    void fail(Operation operation, Throwable reason) {
        if (isUncertain(reason)) {
            return;
        }
        try {
            shop.catalog().transaction(connection -> {
                OperationRows.finish(
                        connection,
                        operation.id(),
                        Operation.Status.FAILED,
                        String.valueOf(reason.getMessage()),
                        shop.now());
                return Boolean.TRUE;
            });
        } catch (ControlException e) {
            reason.addSuppressed(e);
        }
    }

    /** Removes a timeline that nobody ever wrote to. */
    void removeTimeline(TimelineId timeline, Throwable reason) {
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
        if (shop.pages().exists(Workshop.timeline(branch))) {
            HiddenTimelineRows.insert(
                    connection,
                    new HiddenTimeline(
                            branch.timelineId(), branch.projectId(), HiddenTimeline.Kind.RETIRED, null, shop.now()));
        }
    }

    private void removeCompute(Branch branch) {
        shop.travel().end(branch.id());
        shop.views().end(branch.id());
        Optional<Endpoint> endpoint = shop.inventory().endpointOfBranch(branch.id());
        TimelineId timeline = Workshop.timeline(branch);
        for (int attempt = 1; ; attempt++) {
            endpoint.ifPresent(e -> suspend(e.id()));
            try {
                delete(timeline);
                break;
            } catch (TimelineHasChildrenException e) {
                if (!shop.pages().timeline(timeline).writerRunning()) {
                    log.info("Timeline {} stays until nothing reads from it: {}", timeline, e.getMessage());
                    shop.computeService().discardLocal(timeline);
                    break;
                }
                requireAttempt(attempt, e);
            } catch (EpochRunningException e) {
                requireAttempt(attempt, e);
            }
        }
        endpoint.ifPresent(e -> shop.computeService().forget(e.id()));
    }

    /** A client's wake may have passed its check before the branch was marked: it is suspended again. */
    private static void requireAttempt(int attempt, StorageException reason) {
        if (attempt == ATTEMPTS) {
            throw new ControlException(
                    ControlException.Kind.LOCKED, "the branch's compute does not stop; try again", reason);
        }
    }

    private void suspend(String endpointId) {
        shop.monitor().suspend(endpointId);
    }

    private void delete(TimelineId timeline) {
        if (shop.pages().exists(timeline)) {
            shop.pages().delete(timeline);
        }
    }
}
