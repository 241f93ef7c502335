package dev.coppice.control.restore;

import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.timeline.BranchPointRequest;

/** Applies the rules of an anonymized branch anew. Thread-safe. */
public final class Reanonymization {
    private final Finder finder;
    private final BranchMaskings maskings;
    private final RestoreWorkflow restores;

    public Reanonymization(Finder finder, BranchMaskings maskings, RestoreWorkflow restores) {
        this.finder = finder;
        this.maskings = maskings;
        this.restores = restores;
    }

    /**
     * Applies the branch's rules to its parent as it is now. What was written in the branch is lost, as by a reset.
     *
     * @throws ControlException UNPROCESSABLE with every reason against the rules; the branch then is what it was
     */
    public BranchMasking anonymize(String projectId, String branchId) {
        Branch branch = finder.branch(projectId, branchId);
        maskings.required(branch);
        String parent = branch.parentId();
        if (parent == null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "branch \"" + branch.name() + "\" has no parent any more");
        }
        restores.restore(new RestoreWorkflow.Request(projectId, branchId, parent, new BranchPointRequest.Head(), null));
        return maskings.required(finder.branch(projectId, branchId));
    }
}
