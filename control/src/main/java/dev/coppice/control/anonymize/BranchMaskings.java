package dev.coppice.control.anonymize;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.error.ControlException;
import java.util.List;
import java.util.Optional;

/** What anonymized branches hide, and how far their making is. Each call is a transaction. Thread-safe. */
public final class BranchMaskings {
    private final Catalog catalog;

    public BranchMaskings(Catalog catalog) {
        this.catalog = catalog;
    }

    /** Empty for an ordinary branch. */
    public Optional<BranchMasking> find(String branchId) {
        return catalog.transaction(connection -> MaskingRows.find(connection, branchId));
    }

    /** @throws ControlException UNPROCESSABLE for a branch that is not anonymized */
    public BranchMasking required(Branch branch) {
        return find(branch.id())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "branch \"" + branch.name() + "\" is no anonymized branch: make one from it"));
    }

    public List<BranchMasking> all() {
        return catalog.transaction(MaskingRows::all);
    }

    public void store(BranchMasking masking) {
        catalog.transaction(connection -> {
            MaskingRows.put(connection, masking);
            return Boolean.TRUE;
        });
    }
}
