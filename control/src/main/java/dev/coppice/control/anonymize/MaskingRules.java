package dev.coppice.control.anonymize;

import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.masking.MaskingException;
import java.time.Clock;
import java.util.Optional;

/** The rules that are declared for anonymized branches. Thread-safe. */
public final class MaskingRules {
    private final Finder finder;
    private final BranchMaskings maskings;
    private final BranchLocks locks;
    private final Clock clock;

    public MaskingRules(Finder finder, BranchMaskings maskings, BranchLocks locks, Clock clock) {
        this.finder = finder;
        this.maskings = maskings;
        this.locks = locks;
        this.clock = clock;
    }

    /** What a branch hides; empty for an ordinary one. */
    public Optional<BranchMasking> masking(String projectId, String branchId) {
        Branch branch = finder.branch(projectId, branchId);
        return maskings.find(branch.id());
    }

    /**
     * Declares other rules for an anonymized branch; what it shows stays as it is until they are applied.
     *
     * @throws ControlException UNPROCESSABLE for a branch that was not made as an anonymized one, or a rule that cannot be
     *     understood
     */
    public BranchMasking replaceRules(String projectId, String branchId, RuleSet rules) {
        understand(rules);
        Branch branch = finder.branch(projectId, branchId);
        try (BranchLocks.Hold _ = locks.exclusive(branch, "given other masking rules")) {
            BranchMasking changed = maskings.required(branch).withRules(rules.json(), clock.instant());
            maskings.store(changed);
            return changed;
        }
    }

    static void understand(RuleSet rules) {
        for (RuleSet.Rule rule : rules.rules()) {
            try {
                rule.parsed();
            } catch (MaskingException e) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "masking rule for " + rule.table() + "." + rule.column() + ": " + e.getMessage(),
                        e);
            }
        }
    }
}
