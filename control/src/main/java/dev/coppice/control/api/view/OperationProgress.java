package dev.coppice.control.api.view;

import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.Operation;
import java.util.Optional;

/** How far running operations are: what takes long writes down its steps with the branch that it works on. */
public final class OperationProgress {
    private static final int WHOLE = 100;

    private final BranchMaskings maskings;

    public OperationProgress(BranchMaskings maskings) {
        this.maskings = maskings;
    }

    /** Empty for one that is over, or takes one step. */
    Optional<Views.Progress> of(Operation operation) {
        String branch = operation.branchId();
        if (operation.status() != Operation.Status.RUNNING || branch == null) {
            return Optional.empty();
        }
        return maskings.find(branch)
                .filter(masking -> masking.state() == BranchMasking.State.ANONYMIZING)
                .map(OperationProgress::of);
    }

    private static Views.Progress of(BranchMasking masking) {
        String stage = masking.message() == null ? "anonymizing" : masking.message();
        return masking.stepsTotal() <= 0
                ? new Views.Progress(stage, null)
                : new Views.Progress(stage, masking.stepsDone() * WHOLE / masking.stepsTotal());
    }
}
