package dev.coppice.control.deletion;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.operation.OperationLog;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Deletes projects: decides whether one may go, marks it with its branches, and has them removed. */
public final class ProjectDeletion {
    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final BranchLocks locks;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final RecoveryWindow window;
    private final Clock clock;

    public ProjectDeletion(
            Catalog catalog,
            Finder finder,
            BranchLocks locks,
            OperationLog operations,
            StorageCleanup removal,
            RecoveryWindow window,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.locks = locks;
        this.operations = operations;
        this.removal = removal;
        this.window = window;
        this.clock = clock;
    }

    /**
     * Deletes a project with all its branches.
     *
     * @param forGood at once with its storage; else it can be recovered for a while
     * @throws ControlException UNPROCESSABLE while it has a protected branch
     */
    public Project delete(String projectId, boolean forGood) {
        boolean recoverable = !forGood && window.projectSeconds() > 0;
        Project project;
        Operation operation;
        locks.family().writeLock().lock();
        try {
            Instant now = clock.instant();
            project = finder.project(projectId);
            List<Branch> branches = inventory.branchesOf(projectId);
            branches.stream().filter(Branch::isProtected).findFirst().ifPresent(branch -> {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "project \"" + project.name() + "\" cannot be deleted: branch \"" + branch.name()
                                + "\" is protected");
            });
            if (recoverable) {
                operation = mark(
                        projectId,
                        before -> before.deleted(now, now),
                        branches,
                        branch -> branch.living(branch.life().deleted(now, BranchLife.WITH_PROJECT), now)
                                .in(BranchState.DELETED, now));
            } else {
                operation = markForGood(project);
            }
        } finally {
            locks.family().writeLock().unlock();
        }
        if (recoverable) {
            removal.restProject(operation, projectId);
        } else {
            removal.finishProject(operation, projectId);
        }
        return project;
    }

    /** Takes away for good a project that was deleted and not recovered. */
    void purge(String projectId) {
        Operation operation;
        locks.family().writeLock().lock();
        try {
            Optional<Project> found = inventory.deletedProject(projectId);
            if (found.isEmpty()) {
                return;
            }
            operation = markForGood(found.get());
        } finally {
            locks.family().writeLock().unlock();
        }
        removal.finishProject(operation, projectId);
    }

    private Operation markForGood(Project project) {
        return mark(
                project.id(),
                UnaryOperator.identity(),
                inventory.branches().stream()
                        .filter(branch -> branch.projectId().equals(project.id()))
                        .toList(),
                branch -> branch.in(BranchState.DELETING, clock.instant()));
    }

    private record Marked(Project project, List<Branch> branches) {}

    private Operation mark(
            String projectId, UnaryOperator<Project> ofProject, List<Branch> branches, UnaryOperator<Branch> ofBranch) {
        Operation operation =
                operations.draft(projectId, null, null, Operation.DELETE_PROJECT, Operation.Status.RUNNING, null);
        var _ = catalog.changeRows(
                projectId,
                connection -> {
                    Project project = Rows.changeProject(connection, projectId, ofProject);
                    List<Branch> changed = new ArrayList<>();
                    for (Branch branch : branches) {
                        changed.add(Rows.changeBranch(connection, branch.id(), ofBranch));
                    }
                    OperationRows.insert(connection, operation);
                    return new Marked(project, changed);
                },
                (image, marked) -> {
                    image.put(marked.project);
                    marked.branches.forEach(image::put);
                });
        return operation;
    }
}
