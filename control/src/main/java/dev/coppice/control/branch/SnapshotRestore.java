package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.model.Snapshot;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.catalog.rows.SnapshotRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.storage.BranchPoint;
import dev.coppice.storage.Lease;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Restores a snapshot, in two steps as at Neon: a branch of its own is made from it, to be looked at; then that branch takes
 * the place of the one that it is to replace, with its name and its address.
 */
public final class SnapshotRestore {
    private static final String FINALIZE = "apply_config";
    private static final DateTimeFormatter OLD_SUFFIX =
            DateTimeFormatter.ofPattern("'_old_'yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final Workshop shop;
    private final SnapshotWorkflows snapshots;

    public SnapshotRestore(Workshop shop) {
        this.shop = shop;
        this.snapshots = new SnapshotWorkflows(shop);
    }

    /**
     * What to restore.
     *
     * @param name of the new branch; absent = one is made up
     * @param targetId the branch that it is to replace; absent = the one that the snapshot was taken of
     */
    public record Request(
            String projectId,
            String snapshotId,
            @Nullable String name,
            @Nullable String targetId) {}

    /**
     * Makes a branch from a snapshot; it can be connected to when this returns.
     *
     * @throws ControlException NOT_FOUND for the snapshot or the target, CONFLICT for the name
     */
    public Made restore(Request request) {
        Snapshot snapshot = snapshots.snapshot(request.projectId(), request.snapshotId());
        String target = request.targetId() == null ? snapshot.sourceBranchId() : request.targetId();
        if (request.targetId() != null) {
            shop.branch(request.projectId(), target);
        }
        String id = shop.ids().branch();
        String name = request.name() == null ? id : Names.branch(request.name());
        if (shop.inventory().branchNamed(request.projectId(), name).isPresent()) {
            throw ControlException.conflict("branch with name \"" + name + "\" already exists");
        }
        BranchMaker maker = new BranchMaker(shop);
        shop.family().readLock().lock();
        try {
            BranchPoint point =
                    shop.pages().timeline(new TimelineId(snapshot.timelineId())).head();
            try (Lease _ = shop.pages().lease(point)) {
                BranchMaker.Draft draft = draft(request, snapshot, target, id, name, maker);
                boolean guarded = shop.inventory()
                        .branch(snapshot.sourceBranchId())
                        .filter(Branch::isProtected)
                        .isPresent();
                return maker.awaken(
                        draft,
                        (connection, branch) -> SnapshotRows.inheritPasswords(connection, snapshot.id(), branch),
                        timeline -> shop.createTimeline(timeline, point, maker.retention(draft)),
                        guarded);
            }
        } finally {
            shop.family().readLock().unlock();
        }
    }

    private BranchMaker.Draft draft(
            Request request, Snapshot snapshot, String target, String id, String name, BranchMaker maker) {
        Instant now = shop.now();
        Branch branch = new Branch(
                id,
                request.projectId(),
                null,
                null,
                null,
                name,
                id,
                BranchState.READY,
                false,
                false,
                "console",
                null,
                false,
                BranchLife.ORDINARY.fromSnapshot(snapshot.id(), target, BranchLife.RESTORED),
                now,
                now);
        // It has no parent from whom it could have them.
        Map<String, RoleMasking> masked = new HashMap<>(shop.inventory().roleMaskings(snapshot.sourceBranchId()));
        shop.inventory().roleMaskings(target).forEach(masked::putIfAbsent);
        return new BranchMaker.Draft(
                branch, Optional.of(maker.endpoint(branch, 0, EndpointSettings.DEFAULTS, true)), masked.values());
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
        shop.family().writeLock().lock();
        try {
            Branch named = shop.branch(projectId, branchId);
            Branch replaced = shop.branch(projectId, target(named));
            try (BranchLocks.Hold _ = shop.locks().exclusive(named, "put in another's place");
                    BranchLocks.Hold _ = shop.locks().exclusive(replaced, "replaced")) {
                return replace(shop.branch(projectId, branchId), shop.branch(projectId, replaced.id()), oldName);
            }
        } finally {
            shop.family().writeLock().unlock();
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
        return shop.pages().timeline(Workshop.timeline(branch)).seesThroughBoundary();
    }

    private Operation replace(Branch restored, Branch replaced, @Nullable String oldName) {
        if (replaced.isProtected()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + replaced.name() + "\" cannot be replaced: it is protected; end its protection first");
        }
        if (new AnonymizeWorkflow(shop).masked(replaced.id()).isPresent()
                || (seesMaskedRows(replaced) && !seesMaskedRows(restored))) {
            // What takes its place would be reached by those who must not see originals.
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + replaced.name()
                            + "\" cannot be replaced: it is anonymized; anonymize it again for newer" + " data");
        }
        Instant now = shop.now();
        String freed = oldName == null ? replaced.name() + OLD_SUFFIX.format(now) : Names.branch(oldName);
        if (shop.inventory().branchNamed(restored.projectId(), freed).isPresent()) {
            throw ControlException.conflict("branch with name \"" + freed + "\" already exists");
        }
        Operation operation =
                shop.operation(restored.projectId(), restored.id(), null, FINALIZE, Operation.Status.RUNNING, null);
        shop.catalog().transaction(connection -> {
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
        try {
            move(restored, replaced, freed, operation, now);
            return operation.finished(shop.now());
        } catch (RuntimeException e) {
            new Removal(shop).fail(operation, e);
            throw e;
        }
    }

    private void move(Branch restored, Branch replaced, String freed, Operation operation, Instant now) {
        shop.resolver().freshenRoles(replaced);
        Map<String, LoginRole> roles = carryPasswords(restored, shop.inventory().roles(replaced.id()));
        try (WakeGate.Closed _ = shop.gate().close(restored.id());
                WakeGate.Closed _ = shop.gate().close(replaced.id())) {
            Optional<Endpoint> own = shop.inventory().endpointOfBranch(restored.id());
            Optional<Endpoint> taken = shop.inventory().endpointOfBranch(replaced.id());
            own.ifPresent(endpoint -> shop.monitor().suspend(endpoint.id()));
            taken.ifPresent(endpoint -> shop.monitor().suspend(endpoint.id()));
            shop.travel().end(replaced.id());
            shop.views().end(replaced.id());
            shop.views().end(restored.id());
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
        Endpoint endpoint = shop.endpointOf(restored);
        return shop.computes().run(endpoint.id(), Workshop.timeline(restored), connection -> {
            ComputeSql.setVerifiers(connection, ComputeSql.differing(keep, ComputeSql.roles(connection)));
            return ComputeSql.roles(connection);
        });
    }

    private void publish(
            Branch present, Branch old, List<Endpoint> moved, Map<String, LoginRole> roles, Operation operation) {
        Collection<RoleMasking> masked = shop.inventory().roleMaskings(old.id()).values();
        try {
            // Nobody else changes the two branches: both are held.
            var _ = shop.catalog()
                    .changeRows(
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
                                OperationRows.finish(
                                        connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
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
            if (!shop.catalog().settle(operation)) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE, "the catalog went away during the change; try again", e);
            }
        }
    }
}
