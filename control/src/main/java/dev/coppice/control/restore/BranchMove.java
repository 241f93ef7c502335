package dev.coppice.control.restore;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.rows.HiddenTimelineRows;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.WakeGate;
import dev.coppice.control.role.BranchContents;
import dev.coppice.control.role.RolePasswords;
import dev.coppice.control.sql.LiveState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The last step of a restore: with wakes waiting, the branch gets the timeline that was prepared, in one transaction, and
 * what it was goes to the preserved branch or away. Thread-safe.
 */
public final class BranchMove {
    private final Catalog catalog;
    private final Inventory inventory;
    private final ComputeService computeService;
    private final ActivityMonitor monitor;
    private final RolePasswords passwords;
    private final MaskedViews views;
    private final WakeGate gates;
    private final OperationLog operations;
    private final Ids ids;
    private final Clock clock;

    public BranchMove(
            Catalog catalog,
            ComputeService computeService,
            ActivityMonitor monitor,
            RolePasswords passwords,
            MaskedViews views,
            WakeGate gates,
            OperationLog operations,
            Ids ids,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.computeService = computeService;
        this.monitor = monitor;
        this.passwords = passwords;
        this.views = views;
        this.gates = gates;
        this.operations = operations;
        this.ids = ids;
        this.clock = clock;
    }

    /** The new timeline, and what is in it. */
    record Prepared(TimelineId timeline, Branch.Origin origin, LiveState contents, Optional<BranchMasking> masking) {}

    /** Cuts the connections and moves the branch; wakes wait meanwhile and find the new timeline. */
    Branch run(RestoreWorkflow.Request request, Branch target, Prepared prepared, Operation operation) {
        try (WakeGate.Closed _ = gates.close(target.id())) {
            inventory.endpointOfBranch(target.id()).ifPresent(endpoint -> monitor.suspend(endpoint.id()));
            views.end(target.id());
            Plan plan = plan(request, target, prepared);
            TimelineId before = target.timeline();
            if (plan.preserved().isPresent()) {
                // What is preserved is a copy from now on.
                computeService.detachAtFirstStart(before);
            }
            try {
                publish(plan, prepared, operation);
            } catch (RuntimeException e) {
                computeService.stayAttached(before);
                throw e;
            }
            return plan.restored();
        }
    }

    /** Everything that changes in the catalog. */
    private record Plan(
            Branch before,
            Branch restored,
            Optional<Branch> preserved,
            Optional<Endpoint> preservedEndpoint,
            List<Branch> children,
            Map<String, LoginRole> rolesBefore) {}

    private Plan plan(RestoreWorkflow.Request request, Branch target, Prepared prepared) {
        Instant now = clock.instant();
        Optional<Branch> preserved =
                Optional.ofNullable(request.preserveUnderName()).map(name -> preserved(target, name, now));
        Branch.Origin origin = prepared.origin();
        if (request.fromItself() && preserved.isPresent()) {
            origin = new Branch.Origin(preserved.get().id(), origin.lsn(), origin.timestamp(), true);
        }
        List<Branch> children = new ArrayList<>();
        preserved.ifPresent(branch -> inventory
                .childrenOf(target.id())
                .forEach(child -> children.add(child.below(
                        new Branch.Origin(
                                branch.id(), child.parentLsn(), child.parentTimestamp(), child.continuesParent()),
                        now))));
        Optional<Endpoint> endpoint = preserved.flatMap(branch -> inventory
                .endpointOfBranch(target.id())
                .map(own -> new Endpoint(
                        ids.endpoint(),
                        own.projectId(),
                        branch.id(),
                        Endpoint.READ_WRITE,
                        own.suspendTimeoutSeconds(),
                        false,
                        own.settings(),
                        false,
                        null,
                        now,
                        now)));
        return new Plan(
                target,
                target.restored(prepared.timeline().value(), origin, now),
                preserved,
                endpoint,
                children,
                inventory.roles(target.id()));
    }

    private Branch preserved(Branch target, String name, Instant now) {
        return new Branch(
                ids.branch(),
                target.projectId(),
                target.parentId(),
                target.parentLsn(),
                target.parentTimestamp(),
                name,
                target.timelineId(),
                BranchState.READY,
                false,
                false,
                target.creationSource(),
                target.lastResetAt(),
                target.continuesParent(),
                now,
                now);
    }

    private void publish(Plan plan, Prepared prepared, Operation operation) {
        try {
            var _ = catalog.changeRows(
                    plan.before().projectId(),
                    connection -> {
                        List<Branch> children = write(connection, plan, prepared);
                        operations.finish(connection, operation);
                        return children;
                    },
                    (image, children) -> {
                        plan.preserved().ifPresent(branch -> {
                            image.inherit(masked(plan.restored()), branch.id());
                            image.putRoles(branch.id(), plan.rolesBefore());
                        });
                        image.putRoles(plan.restored().id(), prepared.contents().roles());
                        plan.preserved().ifPresent(image::put);
                        children.forEach(image::put);
                        image.put(plan.restored());
                        plan.preservedEndpoint().ifPresent(image::put);
                    });
        } catch (ControlException e) {
            if (e.kind() != ControlException.Kind.UNCERTAIN) {
                throw e;
            }
            // To open the gate to the wrong timeline would lose what is written next.
            if (!catalog.settle(operation)) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE, "the catalog went away during the restore; try again", e);
            }
        }
    }

    /** Roles that are masked in the branch are masked in what preserves its former state, to which its children plan. */
    private Collection<RoleMasking> masked(Branch branch) {
        return inventory.declaredRoleMaskings(branch.id()).values();
    }

    /** @return the children below their new parent, with whatever else of them changed meanwhile */
    private List<Branch> write(Connection connection, Plan plan, Prepared prepared) throws SQLException {
        Branch restored = plan.restored();
        // The timeline must be free before the preserved branch can have it, and that must exist before it is a parent.
        var _ = Rows.changeBranch(
                connection, restored.id(), _ -> restored.below(plan.before().origin(), restored.updatedAt()));
        if (plan.preserved().isPresent()) {
            Branch preserved = plan.preserved().get();
            Rows.insert(connection, preserved);
            if (plan.preservedEndpoint().isPresent()) {
                Rows.insert(connection, plan.preservedEndpoint().get());
            }
            BranchContents.inherit(passwords, connection, plan.before(), preserved, plan.rolesBefore());
            // It is as anonymized as the branch was, and a reset of it must be.
            Optional<BranchMasking> masking = MaskingRows.find(connection, restored.id());
            if (masking.isPresent()) {
                MaskingRows.put(connection, masking.get().of(preserved.id()));
            }
            RoleMaskingRows.inherit(connection, masked(restored), preserved.id());
        } else {
            HiddenTimelineRows.insert(
                    connection,
                    new HiddenTimeline(
                            plan.before().timelineId(),
                            restored.projectId(),
                            HiddenTimeline.Kind.RETIRED,
                            null,
                            restored.updatedAt()));
        }
        List<Branch> children = new ArrayList<>();
        for (Branch child : plan.children()) {
            children.add(Rows.changeBranch(
                    connection, child.id(), current -> current.below(child.origin(), restored.updatedAt())));
        }
        var _ = Rows.changeBranch(connection, restored.id(), _ -> restored);
        RoleRows.replaceRoles(
                connection, restored.id(), prepared.contents().roles().values(), restored.updatedAt());
        RoleRows.replaceDatabases(connection, restored.id(), prepared.contents().databases(), restored.updatedAt());
        if (prepared.masking().isPresent()) {
            MaskingRows.put(connection, prepared.masking().get());
        }
        String parent = restored.parentId();
        if (parent != null) {
            RoleRows.adoptPasswords(connection, parent, restored.id());
        }
        return children;
    }
}
