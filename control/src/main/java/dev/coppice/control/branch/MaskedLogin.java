package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.NamedRules;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.rows.NamedRulesRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.CleanPoint;
import dev.coppice.control.masking.MaskedLogins;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.storage.Lease;
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
    private final Workshop shop;

    public MaskedLogin(Workshop shop) {
        this.shop = shop;
    }

    /** See {@link MaskedViews#mark}; empty for a role that is not masked. */
    public Optional<String> mark(Branch branch, String role) {
        return shop.inventory()
                .roleMasking(branch.id(), role)
                .map(masking -> shop.views().mark(branch, masking));
    }

    /**
     * Makes sure that a view runs which the role can log in to. Blocks; call it from a virtual thread.
     *
     * @throws ControlException UNPROCESSABLE when the rules cannot be applied, LOCKED or UNAVAILABLE when it may be tried again
     */
    public ComputeAddress wake(Branch branch, String role) {
        RoleMasking masking = shop.inventory()
                .roleMasking(branch.id(), role)
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNAVAILABLE, "role \"" + role + "\" is not masked any more"));
        return shop.views().wake(branch, masking, view -> make(branch, view));
    }

    private MaskedView.Opened make(Branch named, MaskedView view) {
        RuleSet rules = rules(named.projectId(), view.key().ruleSet());
        new BusyParent(shop).shortenReplay(named);
        MaskedTimeline timelines = new MaskedTimeline(shop);
        Instant asOf;
        MaskedTimeline.Made made;
        shop.family().readLock().lock();
        try (BranchLocks.Hold _ = shop.locks().shared(named, "masked for a role")) {
            Branch branch = shop.branch(named.projectId(), named.id());
            if (!branch.timelineId().equals(view.key().timelineId())) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE,
                        "branch \"" + branch.name() + "\" was just restored; try again");
            }
            asOf = shop.now();
            try (Lease lease = shop.resolver().resolve(branch, new BranchPointRequest.Head())) {
                made = timelines.make(
                        view.timeline(),
                        lease.point(),
                        branch.projectId(),
                        rules,
                        _ -> new HashMap<>(view.verifiers()),
                        (main, databases) -> new MaskedLogins(databases)
                                .restrict(
                                        main, ComputeSql.ADMIN, view.verifiers().keySet()));
            }
        } finally {
            shop.family().readLock().unlock();
        }
        rebuild(timelines, view.timeline(), made.rebuilds());
        return new MaskedView.Opened(asOf, shop.now());
    }

    /** Absent = everything is masked: keys and unique columns as pseudonyms, others blank. */
    private RuleSet rules(String projectId, @Nullable String name) {
        if (name == null) {
            return new RuleSet(RuleSet.Unlisted.MASK, List.of());
        }
        return shop.catalog()
                .transaction(connection -> NamedRulesRows.find(connection, projectId, name))
                .map(NamedRules::rules)
                .map(RuleSet::parse)
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "the project has no masking rules called \"" + name + "\""));
    }

    /** By a compute that can write, which nobody else can reach. */
    private void rebuild(MaskedTimeline timelines, TimelineId timeline, List<CleanPoint.Rebuild> rebuilds) {
        boolean nothing = rebuilds.stream()
                .allMatch(rebuild ->
                        rebuild.indexes().isEmpty() && rebuild.views().isEmpty());
        if (nothing) {
            return;
        }
        String helper = shop.ids().endpoint();
        try {
            timelines.rebuild(helper, timeline, rebuilds, (_, _, _) -> {});
        } finally {
            shop.monitor().suspend(helper);
            shop.computeService().forget(helper);
        }
    }
}
