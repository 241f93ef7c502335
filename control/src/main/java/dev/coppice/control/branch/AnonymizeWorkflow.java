package dev.coppice.control.branch;

import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.BranchMasking;
import dev.coppice.control.catalog.MaskingRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleSet;
import java.util.Optional;

/** Makes anonymized branches, changes their rules and applies them. */
public final class AnonymizeWorkflow {
    private final Workshop shop;

    public AnonymizeWorkflow(Workshop shop) {
        this.shop = shop;
    }

    /** What a branch hides; empty for an ordinary one. */
    public Optional<BranchMasking> masking(String projectId, String branchId) {
        Branch branch = shop.branch(projectId, branchId);
        return shop.catalog().transaction(connection -> MaskingRows.find(connection, branch.id()));
    }

    /**
     * Declares other rules for an anonymized branch; what it shows stays as it is until {@link #anonymize}.
     *
     * @throws ControlException UNPROCESSABLE for a branch that was not made as an anonymized one
     */
    public BranchMasking replaceRules(String projectId, String branchId, RuleSet rules) {
        BranchMasking changed = required(shop.branch(projectId, branchId)).withRules(rules.json(), shop.now());
        store(changed);
        return changed;
    }

    /**
     * Makes a branch whose compute never receives a masked value. It can be connected to when this returns.
     *
     * @throws ControlException as {@link BranchWorkflows#create}, and UNPROCESSABLE with every reason against the rules
     */
    public Made create(BranchWorkflows.Request request, RuleSet rules) {
        shop.project(request.projectId());
        rules.rules().forEach(RuleSet.Rule::parsed);
        throw new ControlException(
                ControlException.Kind.UNPROCESSABLE, "anonymized branches cannot be made by this version yet");
    }

    /**
     * Applies the branch's rules to its parent as it is now. What was written in the branch is lost, as by a reset.
     *
     * @throws ControlException UNPROCESSABLE with every reason against the rules; the branch then is what it was
     */
    public BranchMasking anonymize(String projectId, String branchId) {
        required(shop.branch(projectId, branchId));
        throw new ControlException(
                ControlException.Kind.UNPROCESSABLE, "anonymized branches cannot be made by this version yet");
    }

    private BranchMasking required(Branch branch) {
        return shop.catalog()
                .transaction(connection -> MaskingRows.find(connection, branch.id()))
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "branch \"" + branch.name() + "\" is no anonymized branch: make one from it"));
    }

    private void store(BranchMasking masking) {
        shop.catalog().transaction(connection -> {
            MaskingRows.put(connection, masking);
            return Boolean.TRUE;
        });
    }
}
