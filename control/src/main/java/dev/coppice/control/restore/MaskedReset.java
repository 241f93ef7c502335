package dev.coppice.control.restore;

import dev.coppice.common.TimelineId;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.anonymize.MaskedTimeline;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.sql.LiveState;
import dev.coppice.control.timeline.PointResolver;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a reset or restore puts into an anonymized branch from elsewhere passes the branch's rules, as they are declared now. Only
 * its own past needs none: that was masked.
 */
public final class MaskedReset {
    private final Inventory inventory;
    private final PointResolver resolver;
    private final ActivityMonitor monitor;
    private final BranchMaskings maskings;
    private final MaskedTimeline maskedTimelines;
    private final Clock clock;

    public MaskedReset(
            Inventory inventory,
            PointResolver resolver,
            ActivityMonitor monitor,
            BranchMaskings maskings,
            MaskedTimeline maskedTimelines,
            Clock clock) {
        this.inventory = inventory;
        this.resolver = resolver;
        this.monitor = monitor;
        this.maskings = maskings;
        this.maskedTimelines = maskedTimelines;
        this.clock = clock;
    }

    /** The rules that what is put into the target passes; empty = none are needed. */
    Optional<BranchMasking> needed(RestoreWorkflow.Request request, Branch target) {
        return request.fromItself() ? Optional.empty() : maskings.find(target.id());
    }

    /** What the catalog says once the branch has moved. */
    BranchMasking applied(BranchMasking before) {
        return before.anonymized(before.version(), clock.instant());
    }

    /**
     * Makes the timeline and rebuilds its indexes; the branch goes on with what it was meanwhile. Roles that it has now keep
     * their passwords, others have none.
     *
     * @param before the rules
     * @param helper the endpoint id of the compute that does it
     */
    LiveState prepare(Branch target, BranchMasking before, TimelineId timeline, BranchPoint point, String helper) {
        resolver.freshenRoles(target);
        Map<String, LoginRole> keep = inventory.roles(target.id());
        maskings.store(before.anonymizing("preparing the parent", 0, 0, clock.instant()));
        try {
            MaskedTimeline.Made made = maskedTimelines.make(
                    timeline, point, target.projectId(), RuleSet.parse(before.rules()), roles -> kept(keep));
            maskedTimelines.rebuild(
                    helper,
                    timeline,
                    made.rebuilds(),
                    (doing, done, total) -> maskings.store(before.anonymizing(doing, done, total, clock.instant())));
            return made.contents();
        } finally {
            // The branch's own endpoint is to run on the timeline.
            monitor.release(helper);
        }
    }

    /** The branch is what it was. */
    void failed(BranchMasking before, RuntimeException reason) {
        try {
            maskings.store(before.failed(String.valueOf(reason.getMessage()), clock.instant()));
        } catch (ControlException e) {
            reason.addSuppressed(e);
        }
    }

    private static Map<String, @Nullable String> kept(Map<String, LoginRole> roles) {
        Map<String, @Nullable String> verifiers = new HashMap<>();
        roles.values().forEach(role -> verifiers.put(role.name(), role.verifier()));
        return verifiers;
    }
}
