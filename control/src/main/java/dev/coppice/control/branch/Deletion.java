package dev.coppice.control.branch;

import dev.coppice.common.Lsn;
import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.BranchState;
import dev.coppice.control.catalog.Operation;
import dev.coppice.control.catalog.OperationRows;
import dev.coppice.control.catalog.Rows;
import dev.coppice.control.error.ControlException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Deletes a branch: decides whether it may go, marks it, and has it removed. */
final class Deletion {
    private static final int CHILDREN_NAMED_MAX = 5;

    private final Workshop shop;
    private final Removal removal;

    Deletion(Workshop shop, Removal removal) {
        this.shop = shop;
        this.removal = removal;
    }

    Branch delete(String projectId, String branchId) {
        List<BranchLocks.Hold> holds = new ArrayList<>();
        Branch branch;
        Operation operation;
        shop.family().writeLock().lock();
        try {
            branch = shop.branch(projectId, branchId);
            requireDeletable(branch);
            holds.add(shop.locks().exclusive(branch, "deleted"));
            // Only restored branches whose parent preserves what they were before are left: they do without it.
            List<Branch> heirs = shop.inventory().childrenOf(branchId);
            for (Branch heir : heirs) {
                holds.add(shop.locks().exclusive(heir, "moved to another parent"));
            }
            operation =
                    shop.operation(projectId, branchId, null, BranchWorkflows.DELETE, Operation.Status.RUNNING, null);
            mark(branch, heirs, operation);
        } finally {
            holds.forEach(BranchLocks.Hold::close);
            shop.family().writeLock().unlock();
        }
        removal.finishBranch(operation, branch);
        return branch;
    }

    private void mark(Branch branch, List<Branch> heirs, Operation operation) {
        Branch deleting = branch.in(BranchState.DELETING, shop.now());
        List<Branch> moved = heirs.stream()
                .map(heir -> heir.below(inherited(branch, heir), shop.now()))
                .toList();
        shop.catalog()
                .change(
                        branch.projectId(),
                        connection -> {
                            for (Branch heir : moved) {
                                Rows.update(connection, heir);
                            }
                            Rows.update(connection, deleting);
                            OperationRows.insert(connection, operation);
                        },
                        image -> {
                            moved.forEach(image::put);
                            image.put(deleting);
                        });
    }

    /** Where a child begins on its grandparent: at its own point, or where its parent had begun if that was earlier. */
    static Branch.Origin inherited(Branch parent, Branch child) {
        Lsn own = child.parentLsn();
        Lsn parents = parent.parentLsn();
        if (own == null || parents == null || own.isAfter(parents)) {
            return parent.origin();
        }
        return new Branch.Origin(parent.parentId(), own, child.parentTimestamp(), parent.continuesParent());
    }

    private void requireDeletable(Branch branch) {
        String reason = null;
        List<Branch> children = shop.inventory().childrenOf(branch.id()).stream()
                .filter(child -> !child.continuesParent())
                .toList();
        if (branch.isDefault()) {
            reason = "it is the default branch of its project";
        } else if (branch.isProtected()) {
            reason = "it is protected";
        } else if (!children.isEmpty()) {
            reason = "it has children (" + names(children) + "); delete them first";
        }
        if (reason != null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + branch.name() + "\" cannot be deleted: " + reason);
        }
    }

    /** The first few names, for a message. */
    static String names(List<Branch> branches) {
        return branches.stream()
                        .map(Branch::name)
                        .sorted()
                        .limit(CHILDREN_NAMED_MAX)
                        .collect(Collectors.joining(", "))
                + (branches.size() > CHILDREN_NAMED_MAX ? ", ..." : "");
    }
}
