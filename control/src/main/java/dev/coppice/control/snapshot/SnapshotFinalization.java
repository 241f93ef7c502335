package dev.coppice.control.snapshot;

import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.WakeGate;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.timeline.PointResolver;
import dev.coppice.storage.PageService;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The second step of a snapshot's restore: two branches change places, with all wakes waiting. Thread-safe. */
public final class SnapshotFinalization {
    private static final DateTimeFormatter OLD_SUFFIX =
            DateTimeFormatter.ofPattern("'_old_'yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final PageService pages;
    private final PointResolver resolver;
    private final Computes computes;
    private final ActivityMonitor monitor;
    private final BranchMaskings maskings;
    private final TimeTravel travel;
    private final MaskedViews views;
    private final WakeGate gates;
    private final BranchLocks locks;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final Clock clock;

    public SnapshotFinalization(
            Catalog catalog,
            Finder finder,
            PageService pages,
            PointResolver resolver,
            Computes computes,
            ActivityMonitor monitor,
            BranchMaskings maskings,
            TimeTravel travel,
            MaskedViews views,
            WakeGate gates,
            BranchLocks locks,
            OperationLog operations,
            StorageCleanup removal,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.pages = pages;
        this.resolver = resolver;
        this.computes = computes;
        this.monitor = monitor;
        this.maskings = maskings;
        this.travel = travel;
        this.views = views;
        this.gates = gates;
        this.locks = locks;
        this.operations = operations;
        this.removal = removal;
        this.clock = clock;
    }

    /**
     * Puts a branch that was made from a snapshot in the place of the one that it is to replace: it gets that one's name,
     * address, passwords and, if need be, its being the default. That one stays under another name, with an address of its
     * own and its children.
     *
     * @param oldName of the replaced branch; absent = one is made up
     * @throws ControlException UNPROCESSABLE when the branch is not one to be finalized, or the replaced one is protected
     */
    public Operation finalizeRestore(String projectId, String branchId, @Nullable String oldName) {
        locks.family().writeLock().lock();
        try {
            Branch named = finder.branch(projectId, branchId);
            Branch replaced = finder.branch(projectId, target(named));
            try (BranchLocks.Hold _ = locks.exclusive(named, "put in another's place");
                    BranchLocks.Hold _ = locks.exclusive(replaced, "replaced")) {
                return replace(finder.branch(projectId, branchId), finder.branch(projectId, replaced.id()), oldName);
            }
        } finally {
            locks.family().writeLock().unlock();
        }
    }

    private static String target(Branch branch) {
        String target = branch.life().restoredAs();
        if (target == null || !BranchLife.RESTORED.equals(branch.life().restoreStatus())) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + branch.name()
                            + "\" is not one that was made from a snapshot and waits to take another" + " one's place");
        }
        return target;
    }

    private boolean seesMaskedRows(Branch branch) {
        return pages.timeline(branch.timeline()).seesThroughBoundary();
    }

    private Operation replace(Branch restored, Branch replaced, @Nullable String oldName) {
        if (replaced.isProtected()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + replaced.name() + "\" cannot be replaced: it is protected; end its protection first");
        }
        if (maskings.find(replaced.id()).isPresent() || (seesMaskedRows(replaced) && !seesMaskedRows(restored))) {
            // What takes its place would be reached by those who must not see originals.
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + replaced.name()
                            + "\" cannot be replaced: it is anonymized; anonymize it again for newer" + " data");
        }
        Instant now = clock.instant();
        String freed = oldName == null ? replaced.name() + OLD_SUFFIX.format(now) : NameRules.branch(oldName);
        if (inventory.branchNamed(restored.projectId(), freed).isPresent()) {
            throw ControlException.conflict("branch with name \"" + freed + "\" already exists");
        }
        Operation operation = operations.draft(
                restored.projectId(), restored.id(), null, Operation.APPLY_CONFIG, Operation.Status.RUNNING, null);
        operations.record(operation);
        try {
            move(restored, replaced, freed, operation, now);
            return operations.finished(operation);
        } catch (RuntimeException e) {
            removal.fail(operation, e);
            throw e;
        }
    }

    private void move(Branch restored, Branch replaced, String freed, Operation operation, Instant now) {
        resolver.freshenRoles(replaced);
        Map<String, LoginRole> roles = carryPasswords(restored, inventory.roles(replaced.id()));
        try (WakeGate.Closed _ = gates.close(restored.id());
                WakeGate.Closed _ = gates.close(replaced.id())) {
            Optional<Endpoint> own = inventory.endpointOfBranch(restored.id());
            Optional<Endpoint> taken = inventory.endpointOfBranch(replaced.id());
            own.ifPresent(endpoint -> monitor.suspend(endpoint.id()));
            taken.ifPresent(endpoint -> monitor.suspend(endpoint.id()));
            travel.end(replaced.id());
            views.end(replaced.id());
            views.end(restored.id());
            Branch old = replaced.renamed(freed, now).asDefault(false, now);
            BranchLife life = new BranchLife(
                    restored.life().initSource(),
                    null,
                    null,
                    null,
                    null,
                    restored.life().restoredFrom(),
                    replaced.id(),
                    BranchLife.FINALIZED);
            Branch present = restored.renamed(replaced.name(), now)
                    .asDefault(replaced.isDefault(), now)
                    .living(life, now);
            publish(present, old, swapped(present, old, own, taken, now), roles, operation);
        }
    }

    /** The endpoints as they will be: each of both branches has the other's. */
    private static List<Endpoint> swapped(
            Branch present, Branch old, Optional<Endpoint> own, Optional<Endpoint> taken, Instant now) {
        List<Endpoint> moved = new ArrayList<>();
        // A branch without an address stays reachable by that which it has.
        taken.ifPresent(endpoint -> {
            own.ifPresent(mine -> moved.add(mine.of(old.id(), now)));
            moved.add(endpoint.of(present.id(), now));
        });
        return moved;
    }

    /** Roles of the replaced branch keep the passwords that are in everybody's connection strings. */
    private Map<String, LoginRole> carryPasswords(Branch restored, Map<String, LoginRole> keep) {
        Endpoint endpoint = finder.endpointOf(restored);
        return computes.run(endpoint.id(), restored.timeline(), connection -> {
            ComputeSql.setVerifiers(connection, ComputeSql.differing(keep, ComputeSql.roles(connection)));
            return ComputeSql.roles(connection);
        });
    }

    private void publish(
            Branch present, Branch old, List<Endpoint> moved, Map<String, LoginRole> roles, Operation operation) {
        Collection<RoleMasking> masked = inventory.roleMaskings(old.id()).values();
        try {
            // Nobody else changes the two branches: both are held.
            var _ = catalog.changeRows(
                    present.projectId(),
                    connection -> {
                        var _ = Rows.changeBranch(connection, old.id(), _ -> old);
                        var _ = Rows.changeBranch(connection, present.id(), _ -> present);
                        for (Endpoint endpoint : moved) {
                            // Each branch has one at most, also between two statements.
                            Rows.deleteEndpoint(connection, endpoint.id());
                        }
                        for (Endpoint endpoint : moved) {
                            Rows.insert(connection, endpoint);
                        }
                        RoleRows.replaceRoles(connection, present.id(), roles.values(), present.updatedAt());
                        RoleRows.adoptPasswords(connection, old.id(), present.id());
                        RoleMaskingRows.inherit(connection, masked, present.id());
                        operations.finish(connection, operation);
                        return Boolean.TRUE;
                    },
                    (image, _) -> {
                        image.inherit(masked, present.id());
                        image.put(old);
                        image.put(present);
                        moved.forEach(image::put);
                        image.putRoles(present.id(), roles);
                    });
        } catch (ControlException e) {
            if (e.kind() != ControlException.Kind.UNCERTAIN) {
                throw e;
            }
            // To open the gates to the wrong timelines would lose what is written next.
            if (!catalog.settle(operation)) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE, "the catalog went away during the change; try again", e);
            }
        }
    }
}
