package dev.coppice.control.deletion;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Operation;
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
import java.util.stream.Collectors;

/** Deletes a branch: decides whether it may go, marks it, and has it removed. */
public final class BranchDeletion {
    private static final int CHILDREN_NAMED_MAX = 5;

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final BranchLocks locks;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final RecoveryWindow window;
    private final Clock clock;

    public BranchDeletion(
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
     * Deletes a branch: for good, or so that it can be recovered for a while.
     *
     * @param method one of {@link BranchLife}'s
     */
    public Branch delete(String projectId, String branchId, String method, boolean forGood) {
        boolean recoverable = !forGood && window.branchSeconds() > 0;
        Marked marked;
        locks.family().writeLock().lock();
        try {
            requireDeletable(finder.branch(projectId, branchId));
            Instant now = clock.instant();
            marked = mark(
                    finder.branch(projectId, branchId),
                    recoverable ? BranchState.DELETED : BranchState.DELETING,
                    branch -> {
                        requireDeletable(branch);
                        return recoverable
                                ? branch.living(branch.life().deleted(now, method), now)
                                        .in(BranchState.DELETED, now)
                                : branch.in(BranchState.DELETING, now);
                    });
        } finally {
            locks.family().writeLock().unlock();
        }
        try (BranchLocks.Hold _ = marked.hold()) {
            removal.finishBranch(marked.operation(), marked.branch());
        }
        return marked.branch();
    }

    /** Takes away for good a branch that was deleted and not recovered. */
    void purge(String branchId) {
        Marked marked;
        locks.family().writeLock().lock();
        try {
            Optional<Branch> found = inventory.branch(branchId).filter(branch -> branch.state() == BranchState.DELETED);
            if (found.isEmpty()) {
                return;
            }
            marked =
                    mark(found.get(), BranchState.DELETING, branch -> branch.in(BranchState.DELETING, clock.instant()));
        } finally {
            locks.family().writeLock().unlock();
        }
        try (BranchLocks.Hold _ = marked.hold()) {
            removal.finishBranch(marked.operation(), marked.branch());
        }
    }

    /** @param hold keeps others away from the branch until its compute is gone */
    private record Marked(Branch branch, Operation operation, BranchLocks.Hold hold) {}

    private Marked mark(Branch branch, BranchState state, UnaryOperator<Branch> going) {
        BranchLocks.Hold hold = locks.exclusive(branch, "deleted");
        try {
            return mark(branch, state, going, hold, new ArrayList<>());
        } catch (RuntimeException | Error e) {
            hold.close();
            throw e;
        }
    }

    private Marked mark(
            Branch branch,
            BranchState state,
            UnaryOperator<Branch> going,
            BranchLocks.Hold hold,
            List<BranchLocks.Hold> holds) {
        try {
            // Restored branches whose parent preserves what they were before do without it; so do deleted ones.
            List<Branch> heirs = inventory.childrenOf(branch.id()).stream()
                    .filter(child -> state == BranchState.DELETING || !child.isGone())
                    .toList();
            for (Branch heir : heirs) {
                if (heir.state() == BranchState.DELETING) {
                    throw new ControlException(
                            ControlException.Kind.LOCKED,
                            "branch \"" + heir.name()
                                    + "\", made from it, is being deleted just now; try again in a moment");
                }
                holds.add(locks.exclusive(heir, "moved to another parent"));
            }
            Operation operation = operations.draft(
                    branch.projectId(), branch.id(), null, Operation.DELETE_TIMELINE, Operation.Status.RUNNING, null);
            List<Branch> changed = catalog.changeRows(
                    branch.projectId(),
                    connection -> {
                        List<Branch> rows = new ArrayList<>();
                        for (Branch heir : heirs) {
                            rows.add(Rows.changeBranch(
                                    connection,
                                    heir.id(),
                                    current -> current.below(branch.inheritedBy(current), clock.instant())));
                        }
                        rows.add(Rows.changeBranch(connection, branch.id(), going));
                        OperationRows.insert(connection, operation);
                        return rows;
                    },
                    (image, rows) -> rows.forEach(image::put));
            return new Marked(changed.getLast(), operation, hold);
        } finally {
            holds.forEach(BranchLocks.Hold::close);
        }
    }

    private void requireDeletable(Branch branch) {
        String reason = null;
        List<Branch> children = inventory.childrenOf(branch.id()).stream()
                .filter(child -> child.state() != BranchState.DELETED && !child.continuesParent())
                .toList();
        if (branch.isDefault()) {
            reason = "it is the default branch of its project; make another one the default first";
        } else if (branch.isProtected()) {
            reason = "it is protected";
        } else if (!children.isEmpty()) {
            reason = "it has children (" + names(children) + "); delete them first";
        } else if (isOnlyRoot(branch)) {
            reason = "it is the root branch of its project";
        }
        if (reason != null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + branch.name() + "\" cannot be deleted: " + reason);
        }
    }

    /** Whether no other branch would be left from which the project's data descends. */
    private boolean isOnlyRoot(Branch branch) {
        return isRoot(branch)
                && inventory.livingChildrenOf(branch.id()).isEmpty()
                && inventory.branchesOf(branch.projectId()).stream()
                        .noneMatch(other -> isRoot(other) && !other.id().equals(branch.id()));
    }

    private static boolean isRoot(Branch branch) {
        return branch.parentId() == null && !branch.life().isSchemaOnly();
    }

    /** The first few names, for a message. */
    public static String names(List<Branch> branches) {
        return branches.stream()
                        .map(Branch::name)
                        .sorted()
                        .limit(CHILDREN_NAMED_MAX)
                        .collect(Collectors.joining(", "))
                + (branches.size() > CHILDREN_NAMED_MAX ? ", ..." : "");
    }
}
