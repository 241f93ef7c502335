package dev.coppice.control.upkeep;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.endpoint.EndpointWorkflows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.project.HistoryRetention;
import dev.coppice.control.project.ProjectWorkflows;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.storage.PageService;
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

    private final Catalog catalog;
    private final Inventory inventory;
    private final PageService pages;
    private final HiddenTimelines hidden;
    private final ComputeService computeService;
    private final ActivityMonitor monitor;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final EndpointWorkflows endpoints;
    private final HistoryRetention retentions;

    public Resumption(
            Catalog catalog,
            PageService pages,
            HiddenTimelines hidden,
            ComputeService computeService,
            ActivityMonitor monitor,
            OperationLog operations,
            StorageCleanup removal,
            EndpointWorkflows endpoints,
            HistoryRetention retentions) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.pages = pages;
        this.hidden = hidden;
        this.computeService = computeService;
        this.monitor = monitor;
        this.operations = operations;
        this.removal = removal;
        this.endpoints = endpoints;
        this.retentions = retentions;
    }

    /** Call it after computes were recovered and before the first request. */
    public void run() {
        endOrphanComputes();
        List<Operation> unfinished = catalog.transaction(OperationRows::unfinished);
        for (Operation operation : unfinished) {
            try {
                resume(operation);
            } catch (RuntimeException e) {
                log.error("{} of project {} could not be resumed", operation.action(), operation.projectId(), e);
            }
        }
        hidden.sweep();
        removeOrphans();
        retentions.applyAll();
    }

    private void resume(Operation operation) {
        switch (operation.action()) {
            case Operation.CREATE_BRANCH, Operation.CREATE_TIMELINE -> {
                log.info("Undoing {}, which a restart interrupted", operation.action());
                removal.undo(
                        operation, new ControlException(ControlException.Kind.UNAVAILABLE, "interrupted by a restart"));
            }
            case Operation.DELETE_TIMELINE -> {
                log.info("Finishing the deletion of branch {}", operation.branchId());
                String branchId = operation.branchId() == null ? "" : operation.branchId();
                inventory
                        .branch(branchId)
                        .ifPresentOrElse(branch -> removal.finishBranch(operation, branch), () -> close(operation));
            }
            case Operation.DELETE_PROJECT -> {
                log.info("Finishing the deletion of project {}", operation.projectId());
                if (canBeRecovered(operation.projectId())) {
                    removal.restProject(operation, operation.projectId());
                } else {
                    removal.finishProject(operation, operation.projectId());
                }
            }
            case Operation.APPLY_CONFIG -> {
                log.info("Taking back settings of {}, which were being tried", operation.endpointId());
                endpoints.takeBack(operation);
            }
            default -> close(operation);
        }
    }

    private boolean canBeRecovered(String projectId) {
        return inventory.deletedProject(projectId).isPresent()
                && inventory.branches().stream()
                        .noneMatch(branch ->
                                branch.projectId().equals(projectId) && branch.state() == BranchState.DELETING);
    }

    private void close(Operation operation) {
        operations.fail(operation, "interrupted by a restart");
    }

    /**
     * Ends adopted computes whose endpoint was deleted, or that only helped an operation, and removes the run directories of
     * endpoints that are gone: what is deleted goes from the catalog first.
     */
    private void endOrphanComputes() {
        Set<String> known = new HashSet<>();
        inventory.endpoints().forEach(endpoint -> known.add(endpoint.id()));
        for (HiddenTimeline timeline : hidden.all()) {
            if (timeline.endpointId() != null) {
                known.add(timeline.endpointId());
            }
        }
        Set<String> orphans = new HashSet<>(computeService.runDirectories());
        orphans.removeIf(name -> !Ids.looksLikeEndpoint(name) || known.contains(name));
        for (String endpointId : orphans) {
            try {
                log.info("Ending what is left of {}, which belongs to no branch", endpointId);
                monitor.release(endpointId);
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
        for (Branch branch : inventory.branches()) {
            named.add(branch.timelineId());
        }
        hidden.all().forEach(timeline -> named.add(timeline.timelineId()));
        for (TimelineId id : pages.timelines()) {
            if (id.equals(ProjectWorkflows.TEMPLATE) || named.contains(id.value())) {
                continue;
            }
            boolean untouched =
                    pages.timeline(id).currentEpoch() == 0 && pages.children(id).isEmpty();
            if (untouched) {
                log.info("Removing timeline {}, left by a creation that did not finish", id);
                removal.removeTimeline(id, new IllegalStateException("orphaned"));
            } else {
                log.warn("Timeline {} belongs to no branch and has data; it is left alone", id);
            }
        }
    }
}
