package dev.coppice.control.deletion;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.BranchLocks;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings back what was deleted, within the recovery window; takes it away for good after it. */
public final class Recovery {
    private static final Logger log = LoggerFactory.getLogger(Recovery.class);

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final BranchLocks locks;
    private final BranchDeletion deletion;
    private final ProjectDeletion projectDeletion;
    private final RecoveryWindow window;
    private final Clock clock;

    public Recovery(
            Catalog catalog,
            Finder finder,
            BranchLocks locks,
            BranchDeletion deletion,
            ProjectDeletion projectDeletion,
            RecoveryWindow window,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.locks = locks;
        this.deletion = deletion;
        this.projectDeletion = projectDeletion;
        this.window = window;
        this.clock = clock;
    }

    private record Recovered(Project project, List<Branch> branches) {}

    /** Until when the branch can be recovered; empty when it was not deleted. */
    public Optional<Instant> until(Branch branch) {
        return Optional.ofNullable(branch.life().deletedAt()).map(window::branchUntil);
    }

    /** Until when the project can be recovered; empty when it was not deleted. */
    public Optional<Instant> until(Project project) {
        return Optional.ofNullable(project.deletedAt()).map(window::projectUntil);
    }

    /**
     * Recovers a branch with its data, roles and address; its compute sleeps, and it does not expire any more.
     *
     * @throws ControlException NOT_FOUND when it was not deleted or is gone for good, CONFLICT when its name was given away,
     *     PRECONDITION when its parent was deleted, too
     */
    public Branch branch(String projectId, String branchId) {
        locks.family().readLock().lock();
        try {
            finder.project(projectId);
            try (BranchLocks.Hold _ = locks.exclusive(deleted(projectId, branchId), "recovered")) {
                Branch branch = deleted(projectId, branchId);
                refuseOrphan(branch);
                if (inventory.branchNamed(projectId, branch.name()).isPresent()) {
                    throw ControlException.conflict("branch with name \"" + branch.name()
                            + "\" already exists; rename that one to recover this one");
                }
                return catalog.changeBranch(projectId, branchId, this::recovered);
            }
        } finally {
            locks.family().readLock().unlock();
        }
    }

    private Branch deleted(String projectId, String branchId) {
        return inventory
                .branch(branchId)
                .filter(branch -> branch.projectId().equals(projectId) && branch.state() == BranchState.DELETED)
                .orElseThrow(() -> ControlException.notFound("deleted branch \"" + branchId
                        + "\" not found; what was deleted can be recovered for " + window.branchSeconds() + " s"));
    }

    private void refuseOrphan(Branch branch) {
        Optional.ofNullable(branch.parentId())
                .flatMap(inventory::branch)
                .filter(Branch::isGone)
                .ifPresent(parent -> {
                    throw new ControlException(
                            ControlException.Kind.PRECONDITION,
                            "branch \"" + branch.name() + "\" was made from branch \"" + parent.name() + "\" ("
                                    + parent.id() + "), which was deleted, too; recover that one first");
                });
    }

    private Branch recovered(Branch branch) {
        Instant now = clock.instant();
        return branch.living(branch.life().recovered(), now).in(BranchState.READY, now);
    }

    /**
     * Recovers a project with the branches that were deleted with it.
     *
     * @throws ControlException NOT_FOUND when it was not deleted or is gone for good
     */
    public Project project(String projectId) {
        locks.family().writeLock().lock();
        try {
            if (inventory.deletedProject(projectId).isEmpty()) {
                throw ControlException.notFound("deleted project \"" + projectId
                        + "\" not found; what was deleted can be recovered for "
                        + window.projectSeconds() + " s");
            }
            List<Branch> branches = inventory.deletedBranchesOf(projectId).stream()
                    .filter(branch ->
                            BranchLife.WITH_PROJECT.equals(branch.life().deletionMethod()))
                    .toList();
            return catalog.changeRows(
                            projectId,
                            connection -> {
                                Project project = Rows.changeProject(
                                        connection, projectId, before -> before.deleted(null, clock.instant()));
                                List<Branch> recovered = new ArrayList<>();
                                for (Branch branch : branches) {
                                    recovered.add(Rows.changeBranch(connection, branch.id(), this::recovered));
                                }
                                return new Recovered(project, recovered);
                            },
                            (image, recovered) -> {
                                image.put(recovered.project);
                                recovered.branches.forEach(image::put);
                            })
                    .project;
        } finally {
            locks.family().writeLock().unlock();
        }
    }

    /** Takes away for good what can no longer be recovered. */
    public void purge() {
        Instant now = clock.instant();
        for (Project project : inventory.deletedProjects()) {
            if (until(project).filter(end -> !end.isAfter(now)).isPresent()) {
                tryTo("project " + project.id(), () -> projectDeletion.purge(project.id()));
            }
        }
        for (Branch branch : inventory.branches()) {
            boolean alone = branch.state() == BranchState.DELETED
                    && inventory.project(branch.projectId()).isPresent();
            if (alone && until(branch).filter(end -> !end.isAfter(now)).isPresent()) {
                tryTo("branch " + branch.id(), () -> deletion.purge(branch.id()));
            }
        }
    }

    private static void tryTo(String what, Runnable purge) {
        try {
            purge.run();
            log.info("{} can no longer be recovered and was removed", what);
        } catch (RuntimeException e) {
            log.warn("{} could not be removed now; it is tried again", what, e);
        }
    }
}
