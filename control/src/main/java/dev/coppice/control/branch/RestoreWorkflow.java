package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeException;
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
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.LiveState;
import dev.coppice.storage.Lease;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Replaces what a branch contains by a point of its own past or of another branch: a new timeline is made at the point, and one
 * transaction moves the branch to it. Until that transaction the branch is what it was; a kill before it leaves a timeline
 * that the next start removes, a kill after it leaves nothing to do.
 *
 * <p>The branch keeps its id, its name, its endpoint and the passwords of its roles; its roles and databases are those of the
 * point. Its children stay with what they were made from, so they move to the branch that preserves it.
 */
public final class RestoreWorkflow {
    private final Workshop shop;
    private final Removal removal;

    public RestoreWorkflow(Workshop shop) {
        this.shop = shop;
        this.removal = new Removal(shop);
    }

    /**
     * What to restore.
     *
     * @param sourceId the branch that has the point, or the restored branch itself
     * @param preserveUnderName the name of a new branch that takes over what the restored one was; absent = it is thrown away
     */
    public record Request(
            String projectId,
            String branchId,
            String sourceId,
            BranchPointRequest point,
            @Nullable String preserveUnderName) {
        boolean fromItself() {
            return branchId.equals(sourceId);
        }
    }

    /** A branch that was just restored. */
    public record Restored(Branch branch, List<Operation> operations) {}

    /** The new timeline, and what is in it. */
    private record Prepared(
            TimelineId timeline, Branch.Origin origin, LiveState contents, Optional<BranchMasking> masking) {}

    /** A branch of masked rows stays one: whoever was given it must not find originals in it one day. */
    private void requireMask(Request request, Branch target, Branch source) {
        if (!request.fromItself() && seesMaskedRows(target) && !seesMaskedRows(source) && !masks(target)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + target.name() + "\" was made from an anonymized branch, and \"" + source.name()
                            + "\" is not anonymized: make another branch of it");
        }
    }

    private boolean seesMaskedRows(Branch branch) {
        return shop.pages().timeline(Workshop.timeline(branch)).seesThroughBoundary();
    }

    /** Whether what comes from other branches is masked on its way into this one. */
    public boolean masks(Branch target) {
        return shop.catalog()
                .transaction(connection -> MaskingRows.find(connection, target.id()))
                .isPresent();
    }

    /**
     * Restores the branch; whoever is connected to it is disconnected, and whoever connects while this runs waits for it.
     *
     * @throws ControlException INVALID or UNPROCESSABLE with what is missing; LOCKED when something else is under way with
     *     one of both branches
     */
    public Restored restore(Request request) {
        // A parent must not be made to work for what is refused anyway; looked at again below, with the lock.
        check(request, shop.branch(request.projectId(), request.branchId()));
        if (request.point() instanceof BranchPointRequest.Head) {
            new BusyParent(shop).shortenReplay(shop.branch(request.projectId(), request.sourceId()));
        }
        shop.family().readLock().lock();
        try {
            Branch named = shop.branch(request.projectId(), request.branchId());
            try (BranchLocks.Hold _ = shop.locks().exclusive(named, "restored")) {
                Branch target = shop.branch(request.projectId(), request.branchId());
                Branch source = request.fromItself() ? target : shop.branch(request.projectId(), request.sourceId());
                check(request, target);
                requireMask(request, target, source);
                try (BranchLocks.Hold _ =
                                request.fromItself() ? () -> {} : shop.locks().shared(source, "used for a restore");
                        Lease point = shop.resolver().resolve(source, request.point())) {
                    return restore(request, target, source, point);
                }
            }
        } finally {
            shop.family().readLock().unlock();
        }
    }

    private void check(Request request, Branch target) {
        if (request.fromItself() && request.point() instanceof BranchPointRequest.Head) {
            throw ControlException.invalid(
                    "source_timestamp or source_lsn: is needed to restore a branch from its own past");
        }
        if (target.isProtected()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + target.name() + "\" cannot be restored: it is protected; end its protection first");
        }
        String preserve = request.preserveUnderName();
        if (preserve != null) {
            Names.branch(preserve);
            if (shop.inventory().branchNamed(request.projectId(), preserve).isPresent()) {
                throw taken(preserve, null);
            }
            return;
        }
        if (request.fromItself()) {
            throw ControlException.invalid(
                    "preserve_under_name: is needed when a branch is restored from itself, because"
                            + " the restored branch continues what is preserved");
        }
        List<Branch> children = shop.inventory().livingChildrenOf(target.id());
        if (!children.isEmpty()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + target.name() + "\" has children (" + Deletion.names(children)
                            + "): give preserve_under_name, and they move to the branch of that name; or delete them"
                            + " first");
        }
    }

    private Restored restore(Request request, Branch target, Branch source, Lease point) {
        TimelineId timeline = new TimelineId(shop.ids().branch());
        String helper = shop.ids().endpoint();
        Operation operation = shop.operation(
                target.projectId(),
                target.id(),
                shop.inventory().endpointOfBranch(target.id()).map(Endpoint::id).orElse(null),
                ProjectWorkflows.CREATE,
                Operation.Status.RUNNING,
                new Removal.Detail(timeline, helper).text());
        shop.catalog().transaction(connection -> {
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
        MaskedReset masked = new MaskedReset(shop, request, target);
        try {
            LiveState contents = masked.isNeeded()
                    ? masked.prepare(timeline, point.point(), helper)
                    : unmasked(request, target, source, timeline, point, helper);
            Instant time = request.point() instanceof BranchPointRequest.AtTime(var asked) ? asked : null;
            Branch.Origin origin = new Branch.Origin(source.id(), point.point().lsn(), time, request.fromItself());
            Branch restored =
                    move(request, target, new Prepared(timeline, origin, contents, masked.applied()), operation);
            shop.hidden().sweep();
            return new Restored(restored, List.of(operation.finished(shop.now())));
        } catch (ComputeException e) {
            ControlException refused = new ControlException(
                    ControlException.Kind.UNAVAILABLE,
                    "the branch's compute could not be stopped: " + e.getMessage(),
                    e);
            removal.undo(operation, refused);
            masked.failed(refused);
            throw refused;
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            masked.failed(e);
            String preserve = request.preserveUnderName();
            throw e instanceof ControlException refused
                            && refused.kind() == ControlException.Kind.CONFLICT
                            && preserve != null
                    ? taken(preserve, e)
                    : e;
        }
    }

    private LiveState unmasked(
            Request request, Branch target, Branch source, TimelineId timeline, Lease point, String helper) {
        shop.createTimeline(
                timeline, point.point(), shop.project(target.projectId()).retention());
        return new RestoredContents(shop).prepare(request, target, source, timeline, helper);
    }

    private static ControlException taken(String name, @Nullable Throwable cause) {
        return new ControlException(
                ControlException.Kind.CONFLICT, "branch with name \"" + name + "\" already exists", cause);
    }

    /** Cuts the connections and moves the branch; wakes wait meanwhile and find the new timeline. */
    private Branch move(Request request, Branch target, Prepared prepared, Operation operation) {
        try (WakeGate.Closed _ = shop.gate().close(target.id())) {
            shop.inventory()
                    .endpointOfBranch(target.id())
                    .ifPresent(endpoint -> shop.monitor().suspend(endpoint.id()));
            shop.views().end(target.id());
            Move move = plan(request, target, prepared);
            TimelineId before = Workshop.timeline(target);
            if (move.preserved().isPresent()) {
                // What is preserved is a copy from now on.
                shop.computeService().detachAtFirstStart(before);
            }
            try {
                publish(move, prepared, operation);
            } catch (RuntimeException e) {
                shop.computeService().stayAttached(before);
                throw e;
            }
            return move.restored();
        }
    }

    /** Everything that changes in the catalog. */
    private record Move(
            Branch before,
            Branch restored,
            Optional<Branch> preserved,
            Optional<Endpoint> preservedEndpoint,
            List<Branch> children,
            Map<String, LoginRole> rolesBefore) {}

    private Move plan(Request request, Branch target, Prepared prepared) {
        Instant now = shop.now();
        Optional<Branch> preserved =
                Optional.ofNullable(request.preserveUnderName()).map(name -> preserved(target, name, now));
        Branch.Origin origin = prepared.origin();
        if (request.fromItself() && preserved.isPresent()) {
            origin = new Branch.Origin(preserved.get().id(), origin.lsn(), origin.timestamp(), true);
        }
        List<Branch> children = new ArrayList<>();
        preserved.ifPresent(branch -> shop.inventory()
                .childrenOf(target.id())
                .forEach(child -> children.add(child.below(
                        new Branch.Origin(
                                branch.id(), child.parentLsn(), child.parentTimestamp(), child.continuesParent()),
                        now))));
        Optional<Endpoint> endpoint = preserved.flatMap(branch -> shop.inventory()
                .endpointOfBranch(target.id())
                .map(own -> new Endpoint(
                        shop.ids().endpoint(),
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
        return new Move(
                target,
                target.restored(prepared.timeline().value(), origin, now),
                preserved,
                endpoint,
                children,
                shop.inventory().roles(target.id()));
    }

    private Branch preserved(Branch target, String name, Instant now) {
        return new Branch(
                shop.ids().branch(),
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

    private void publish(Move move, Prepared prepared, Operation operation) {
        try {
            var _ = shop.catalog()
                    .changeRows(
                            move.before().projectId(),
                            connection -> {
                                List<Branch> children = write(connection, move, prepared);
                                OperationRows.finish(
                                        connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                                return children;
                            },
                            (image, children) -> {
                                move.preserved().ifPresent(branch -> {
                                    image.inherit(masked(move.restored()), branch.id());
                                    image.putRoles(branch.id(), move.rolesBefore());
                                });
                                image.putRoles(
                                        move.restored().id(),
                                        prepared.contents().roles());
                                move.preserved().ifPresent(image::put);
                                children.forEach(image::put);
                                image.put(move.restored());
                                move.preservedEndpoint().ifPresent(image::put);
                            });
        } catch (ControlException e) {
            if (e.kind() != ControlException.Kind.UNCERTAIN) {
                throw e;
            }
            // To open the gate to the wrong timeline would lose what is written next.
            if (!shop.catalog().settle(operation)) {
                throw new ControlException(
                        ControlException.Kind.UNAVAILABLE, "the catalog went away during the restore; try again", e);
            }
        }
    }

    /** Roles that are masked in the branch are masked in what preserves its former state, to which its children move. */
    private Collection<RoleMasking> masked(Branch branch) {
        return shop.inventory().declaredRoleMaskings(branch.id()).values();
    }

    /** @return the children below their new parent, with whatever else of them changed meanwhile */
    private List<Branch> write(Connection connection, Move move, Prepared prepared) throws SQLException {
        Branch restored = move.restored();
        // The timeline must be free before the preserved branch can have it, and that must exist before it is a parent.
        var _ = Rows.changeBranch(
                connection, restored.id(), _ -> restored.below(move.before().origin(), restored.updatedAt()));
        if (move.preserved().isPresent()) {
            Branch preserved = move.preserved().get();
            Rows.insert(connection, preserved);
            if (move.preservedEndpoint().isPresent()) {
                Rows.insert(connection, move.preservedEndpoint().get());
            }
            BranchContents.inherit(shop, connection, move.before(), preserved, move.rolesBefore());
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
                            move.before().timelineId(),
                            restored.projectId(),
                            HiddenTimeline.Kind.RETIRED,
                            null,
                            restored.updatedAt()));
        }
        List<Branch> children = new ArrayList<>();
        for (Branch child : move.children()) {
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
