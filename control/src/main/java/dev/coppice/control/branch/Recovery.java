package dev.coppice.control.branch;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings back what was deleted, within the recovery window; takes it away for good after it. */
public final class Recovery {
    private static final Logger log = LoggerFactory.getLogger(Recovery.class);

    private final Workshop shop;

    public Recovery(Workshop shop) {
        this.shop = shop;
    }

    private record Recovered(Project project, List<Branch> branches) {}

    /** Until when the branch can be recovered; empty when it was not deleted. */
    public Optional<Instant> until(Branch branch) {
        return Optional.ofNullable(branch.life().deletedAt()).map(shop.recovery()::branchUntil);
    }

    /** Until when the project can be recovered; empty when it was not deleted. */
    public Optional<Instant> until(Project project) {
        return Optional.ofNullable(project.deletedAt()).map(shop.recovery()::projectUntil);
    }

    /**
     * Recovers a branch with its data, roles and address; its compute sleeps, and it does not expire any more.
     *
     * @throws ControlException NOT_FOUND when it was not deleted or is gone for good, CONFLICT when its name was given away,
     *     PRECONDITION when its parent was deleted, too
     */
    public Branch branch(String projectId, String branchId) {
        shop.family().readLock().lock();
        try {
            shop.project(projectId);
            try (BranchLocks.Hold _ = shop.locks().exclusive(deleted(projectId, branchId), "recovered")) {
                Branch branch = deleted(projectId, branchId);
                refuseOrphan(branch);
                if (shop.inventory().branchNamed(projectId, branch.name()).isPresent()) {
                    throw ControlException.conflict("branch with name \"" + branch.name()
                            + "\" already exists; rename that one to recover this one");
                }
                return shop.catalog().changeBranch(projectId, branchId, this::recovered);
            }
        } finally {
            shop.family().readLock().unlock();
        }
    }

    private Branch deleted(String projectId, String branchId) {
        return shop.inventory()
                .branch(branchId)
                .filter(branch -> branch.projectId().equals(projectId) && branch.state() == BranchState.DELETED)
                .orElseThrow(() -> ControlException.notFound(
                        "deleted branch \"" + branchId + "\" not found; what was deleted can be recovered for "
                                + shop.recovery().branchSeconds() + " s"));
    }

    private void refuseOrphan(Branch branch) {
        Optional.ofNullable(branch.parentId())
                .flatMap(shop.inventory()::branch)
                .filter(Branch::isGone)
                .ifPresent(parent -> {
                    throw new ControlException(
                            ControlException.Kind.PRECONDITION,
                            "branch \"" + branch.name() + "\" was made from branch \"" + parent.name() + "\" ("
                                    + parent.id() + "), which was deleted, too; recover that one first");
                });
    }

    private Branch recovered(Branch branch) {
        Instant now = shop.now();
        return branch.living(branch.life().recovered(), now).in(BranchState.READY, now);
    }

    /**
     * Recovers a project with the branches that were deleted with it.
     *
     * @throws ControlException NOT_FOUND when it was not deleted or is gone for good
     */
    public Project project(String projectId) {
        shop.family().writeLock().lock();
        try {
            if (shop.inventory().deletedProject(projectId).isEmpty()) {
                throw ControlException.notFound("deleted project \"" + projectId
                        + "\" not found; what was deleted can be recovered for "
                        + shop.recovery().projectSeconds() + " s");
            }
            List<Branch> branches = shop.inventory().deletedBranchesOf(projectId).stream()
                    .filter(branch ->
                            BranchLife.WITH_PROJECT.equals(branch.life().deletionMethod()))
                    .toList();
            return shop.catalog()
                    .changeRows(
                            projectId,
                            connection -> {
                                Project project = Rows.changeProject(
                                        connection, projectId, before -> before.deleted(null, shop.now()));
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
            shop.family().writeLock().unlock();
        }
    }

    /** Takes away for good what can no longer be recovered. */
    void purge() {
        Instant now = shop.now();
        for (Project project : shop.inventory().deletedProjects()) {
            if (until(project).filter(end -> !end.isAfter(now)).isPresent()) {
                tryTo("project " + project.id(), () -> new ProjectWorkflows(shop).purge(project.id()));
            }
        }
        for (Branch branch : shop.inventory().branches()) {
            boolean alone = branch.state() == BranchState.DELETED
                    && shop.inventory().project(branch.projectId()).isPresent();
            if (alone && until(branch).filter(end -> !end.isAfter(now)).isPresent()) {
                tryTo("branch " + branch.id(), () -> new Deletion(shop, new Removal(shop)).purge(branch.id()));
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
