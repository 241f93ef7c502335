package dev.coppice.control.anonymize;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.NamedRules;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.rows.NamedRulesRows;
import dev.coppice.control.ephemeral.MaskedView;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.CleanPoint;
import dev.coppice.control.masking.MaskedLogins;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.control.timeline.BranchPoints;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Brings masked roles to a masked view of their branch. Never to the branch: when no view can be had the login fails. A view is made as an
 * anonymized branch is, of the branch as it is then, and only the masked roles can log in to it.
 */
public final class MaskedLogin {
    private final Catalog catalog;
    private final Inventory inventory;
    private final BranchPoints points;
    private final ActivityMonitor monitor;
    private final MaskedTimeline maskedTimelines;
    private final MaskedViews views;
    private final Ids ids;
    private final Clock clock;

    public MaskedLogin(
            Catalog catalog,
            BranchPoints points,
            ActivityMonitor monitor,
            MaskedTimeline maskedTimelines,
            MaskedViews views,
            Ids ids,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.points = points;
        this.monitor = monitor;
        this.maskedTimelines = maskedTimelines;
        this.views = views;
        this.ids = ids;
        this.clock = clock;
    }

    /** See {@link MaskedViews#mark}; empty for a role that is not masked. */
    public Optional<String> mark(Branch branch, String role) {
        return inventory.roleMasking(branch.id(), role).map(masking -> views.mark(branch, masking));
    }

    /**
     * Makes sure that a view runs which the role can log in to. Blocks; call it from a virtual thread.
     *
     * @throws ControlException UNPROCESSABLE when the rules cannot be applied, LOCKED or UNAVAILABLE when it may be tried again
     */
    public ComputeAddress wake(Branch branch, String role) {
        RoleMasking masking = inventory
                .roleMasking(branch.id(), role)
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNAVAILABLE, "role \"" + role + "\" is not masked any more"));
        return views.wake(branch, masking, view -> make(branch, view));
    }

    private MaskedView.Opened make(Branch named, MaskedView view) {
        RuleSet rules = rules(named.projectId(), view.key().ruleSet());
        BranchPointRequest head = new BranchPointRequest.Head();
        points.prepare(named, head);
        // What is written after this may be in it, too; nothing before it is missing.
        Instant asOf = clock.instant();
        MaskedTimeline.Made made =
                points.use(named.projectId(), named.id(), head, "masked for a role", (branch, lease) -> {
                    if (!branch.timelineId().equals(view.key().timelineId())) {
                        throw new ControlException(
                                ControlException.Kind.UNAVAILABLE,
                                "branch \"" + branch.name() + "\" was just restored; try again");
                    }
                    return maskedTimelines.make(
                            view.timeline(),
                            lease.point(),
                            branch.projectId(),
                            rules,
                            _ -> new HashMap<>(view.verifiers()),
                            (main, databases) -> new MaskedLogins(databases)
                                    .restrict(
                                            main,
                                            ComputeSql.ADMIN,
                                            view.verifiers().keySet()));
                });
        rebuild(view.timeline(), made.rebuilds());
        return new MaskedView.Opened(asOf, clock.instant());
    }

    /** Absent = everything is masked: keys and unique columns as pseudonyms, others blank. */
    private RuleSet rules(String projectId, @Nullable String name) {
        if (name == null) {
            return new RuleSet(RuleSet.Unlisted.MASK, List.of());
        }
        return catalog.transaction(connection -> NamedRulesRows.find(connection, projectId, name))
                .map(NamedRules::rules)
                .map(RuleSet::parse)
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "the project has no masking rules called \"" + name + "\""));
    }

    /** By a compute that can write, which nobody else can reach. */
    private void rebuild(TimelineId timeline, List<CleanPoint.Rebuild> rebuilds) {
        boolean nothing = rebuilds.stream()
                .allMatch(rebuild ->
                        rebuild.indexes().isEmpty() && rebuild.views().isEmpty());
        if (nothing) {
            return;
        }
        String helper = ids.endpoint();
        try {
            maskedTimelines.rebuild(helper, timeline, rebuilds, (_, _, _) -> {});
        } finally {
            monitor.release(helper);
        }
    }
}
