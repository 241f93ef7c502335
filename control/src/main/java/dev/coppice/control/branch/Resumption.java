package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeException;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * At start: finishes or undoes what was under way when the last server ended, removes timelines that nobody names or needs, and
 * tells storage how much history each of the others keeps.
 */
public final class Resumption {
    private static final Logger log = LoggerFactory.getLogger(Resumption.class);

    private final Workshop shop;
    private final Removal removal;

    public Resumption(Workshop shop) {
        this.shop = shop;
        this.removal = new Removal(shop);
    }

    /** Call it after computes were recovered and before the first request. */
    public void run() {
        endOrphanComputes();
        List<Operation> unfinished = shop.catalog().transaction(OperationRows::unfinished);
        for (Operation operation : unfinished) {
            try {
                resume(operation);
            } catch (RuntimeException e) {
                log.error("{} of project {} could not be resumed", operation.action(), operation.projectId(), e);
            }
        }
        shop.hidden().sweep();
        removeOrphans();
        new HistoryRetention(shop).applyAll();
    }

    private void resume(Operation operation) {
        switch (operation.action()) {
            case BranchWorkflows.CREATE, ProjectWorkflows.CREATE -> {
                log.info("Undoing {}, which a restart interrupted", operation.action());
                removal.undo(
                        operation, new ControlException(ControlException.Kind.UNAVAILABLE, "interrupted by a restart"));
            }
            case BranchWorkflows.DELETE -> {
                log.info("Finishing the deletion of branch {}", operation.branchId());
                String branchId = operation.branchId() == null ? "" : operation.branchId();
                shop.inventory()
                        .branch(branchId)
                        .ifPresentOrElse(branch -> removal.finishBranch(operation, branch), () -> close(operation));
            }
            case ProjectWorkflows.DELETE -> {
                log.info("Finishing the deletion of project {}", operation.projectId());
                if (canBeRecovered(operation.projectId())) {
                    removal.restProject(operation, operation.projectId());
                } else {
                    removal.finishProject(operation, operation.projectId());
                }
            }
            case EndpointWorkflows.TRIAL -> {
                log.info("Taking back settings of {}, which were being tried", operation.endpointId());
                new EndpointWorkflows(shop).takeBack(operation);
            }
            default -> close(operation);
        }
    }

    private boolean canBeRecovered(String projectId) {
        return shop.inventory().deletedProject(projectId).isPresent()
                && shop.inventory().branches().stream()
                        .noneMatch(branch ->
                                branch.projectId().equals(projectId) && branch.state() == BranchState.DELETING);
    }

    private void close(Operation operation) {
        shop.catalog().transaction(connection -> {
            OperationRows.finish(
                    connection, operation.id(), Operation.Status.FAILED, "interrupted by a restart", shop.now());
            return Boolean.TRUE;
        });
    }

    /**
     * Ends adopted computes whose endpoint was deleted, or that only helped an operation, and removes the run directories of
     * endpoints that are gone: what is deleted goes from the catalog first.
     */
    private void endOrphanComputes() {
        Set<String> known = new HashSet<>();
        shop.inventory().endpoints().forEach(endpoint -> known.add(endpoint.id()));
        for (HiddenTimeline hidden : shop.hidden().all()) {
            if (hidden.endpointId() != null) {
                known.add(hidden.endpointId());
            }
        }
        Set<String> orphans = new HashSet<>(shop.computeService().runDirectories());
        orphans.removeIf(name -> !Ids.looksLikeEndpoint(name) || known.contains(name));
        for (String endpointId : orphans) {
            try {
                log.info("Ending what is left of {}, which belongs to no branch", endpointId);
                shop.monitor().suspend(endpointId);
                shop.computeService().forget(endpointId);
            } catch (ComputeException e) {
                log.warn("What is left of {} could not be removed now; the next start tries again", endpointId, e);
            }
        }
    }

    /**
     * Removes the timelines of creations that were killed before their row was written. Only those that no compute ever
     * wrote: should the catalog be lost or an old copy of it be put back, no data goes with it.
     */
    private void removeOrphans() {
        Set<String> named = new HashSet<>();
        for (Branch branch : shop.inventory().branches()) {
            named.add(branch.timelineId());
        }
        shop.hidden().all().forEach(timeline -> named.add(timeline.timelineId()));
        for (TimelineId id : shop.pages().timelines()) {
            if (id.equals(ProjectWorkflows.TEMPLATE) || named.contains(id.value())) {
                continue;
            }
            boolean untouched = shop.pages().timeline(id).currentEpoch() == 0
                    && shop.pages().children(id).isEmpty();
            if (untouched) {
                log.info("Removing timeline {}, left by a creation that did not finish", id);
                removal.removeTimeline(id, new IllegalStateException("orphaned"));
            } else {
                log.warn("Timeline {} belongs to no branch and has data; it is left alone", id);
            }
        }
    }
}
