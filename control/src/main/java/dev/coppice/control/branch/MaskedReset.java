package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.sql.LiveState;
import dev.coppice.storage.BranchPoint;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a reset or restore puts into an anonymized branch from elsewhere passes the branch's rules, as they are declared now. Only
 * its own past needs none: that was masked.
 */
final class MaskedReset {
    private final Workshop shop;
    private final Branch target;
    private final Optional<BranchMasking> masking;

    MaskedReset(Workshop shop, RestoreWorkflow.Request request, Branch target) {
        this.shop = shop;
        this.target = target;
        this.masking = request.fromItself()
                ? Optional.empty()
                : shop.catalog().transaction(connection -> MaskingRows.find(connection, target.id()));
    }

    boolean isNeeded() {
        return masking.isPresent();
    }

    /** What the catalog says once the branch has moved. */
    Optional<BranchMasking> applied() {
        return masking.map(before -> before.anonymized(before.version(), shop.now()));
    }

    /**
     * Makes the timeline and rebuilds its indexes; the branch goes on with what it was meanwhile. Roles that it has now keep
     * their passwords, others have none.
     *
     * @param helper the endpoint id of the compute that does it
     */
    LiveState prepare(TimelineId timeline, BranchPoint point, String helper) {
        BranchMasking before = masking.orElseThrow();
        MaskedTimeline timelines = new MaskedTimeline(shop);
        shop.resolver().freshenRoles(target);
        Map<String, LoginRole> keep = shop.inventory().roles(target.id());
        store(before.anonymizing("preparing the parent", 0, 0, shop.now()));
        try {
            MaskedTimeline.Made made = timelines.make(
                    timeline, point, target.projectId(), RuleSet.parse(before.rules()), roles -> kept(keep));
            timelines.rebuild(
                    helper,
                    timeline,
                    made.rebuilds(),
                    (doing, done, total) -> store(before.anonymizing(doing, done, total, shop.now())));
            return made.contents();
        } finally {
            // The branch's own endpoint is to run on the timeline.
            shop.monitor().suspend(helper);
            shop.computeService().forget(helper);
        }
    }

    /** The branch is what it was. */
    void failed(RuntimeException reason) {
        try {
            masking.ifPresent(before -> store(before.failed(String.valueOf(reason.getMessage()), shop.now())));
        } catch (ControlException e) {
            reason.addSuppressed(e);
        }
    }

    private static Map<String, @Nullable String> kept(Map<String, LoginRole> roles) {
        Map<String, @Nullable String> verifiers = new HashMap<>();
        roles.values().forEach(role -> verifiers.put(role.name(), role.verifier()));
        return verifiers;
    }

    private void store(BranchMasking state) {
        shop.catalog().transaction(connection -> {
            MaskingRows.put(connection, state);
            return Boolean.TRUE;
        });
    }
}
