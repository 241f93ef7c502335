package dev.coppice.control.restore;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeException;
import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.deletion.BranchDeletion;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.UnfinishedCreation;
import dev.coppice.control.sql.LiveState;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.control.timeline.BranchPoints;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.control.timeline.PointResolver;
import dev.coppice.storage.PageService;
import dev.coppice.storage.history.Lease;
import java.time.Instant;
import java.util.List;
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
    private final Inventory inventory;
    private final Finder finder;
    private final PageService pages;
    private final BranchPoints points;
    private final PointResolver resolver;
    private final HiddenTimelines hidden;
    private final BranchMaskings maskings;
    private final MaskedReset maskedReset;
    private final RestoredContents restoredContents;
    private final BranchLocks locks;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final Ids ids;
    private final BranchMove move;

    public RestoreWorkflow(
            Inventory inventory,
            Finder finder,
            PageService pages,
            BranchPoints points,
            PointResolver resolver,
            HiddenTimelines hidden,
            BranchMaskings maskings,
            MaskedReset maskedReset,
            RestoredContents restoredContents,
            BranchLocks locks,
            OperationLog operations,
            StorageCleanup removal,
            Ids ids,
            BranchMove move) {
        this.inventory = inventory;
        this.finder = finder;
        this.pages = pages;
        this.points = points;
        this.resolver = resolver;
        this.hidden = hidden;
        this.maskings = maskings;
        this.maskedReset = maskedReset;
        this.restoredContents = restoredContents;
        this.locks = locks;
        this.operations = operations;
        this.removal = removal;
        this.ids = ids;
        this.move = move;
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
        return pages.timeline(branch.timeline()).seesThroughBoundary();
    }

    /** Whether what comes from other branches is masked on its way into this one. */
    public boolean masks(Branch target) {
        return maskings.find(target.id()).isPresent();
    }

    /**
     * Restores the branch; whoever is connected to it is disconnected, and whoever connects while this runs waits for it.
     *
     * @throws ControlException INVALID or UNPROCESSABLE with what is missing; LOCKED when something else is under way with
     *     one of both branches
     */
    public Restored restore(Request request) {
        // A parent must not be made to work for what is refused anyway; looked at again below, with the lock.
        check(request, finder.branch(request.projectId(), request.branchId()));
        points.prepare(finder.branch(request.projectId(), request.sourceId()), request.point());
        locks.family().readLock().lock();
        try {
            Branch named = finder.branch(request.projectId(), request.branchId());
            try (BranchLocks.Hold _ = locks.exclusive(named, "restored")) {
                Branch target = finder.branch(request.projectId(), request.branchId());
                Branch source = request.fromItself() ? target : finder.branch(request.projectId(), request.sourceId());
                check(request, target);
                requireMask(request, target, source);
                try (BranchLocks.Hold _ = request.fromItself() ? () -> {} : locks.shared(source, "used for a restore");
                        Lease point = resolver.resolve(source, request.point())) {
                    return restore(request, target, source, point);
                }
            }
        } finally {
            locks.family().readLock().unlock();
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
            NameRules.branch(preserve);
            if (inventory.branchNamed(request.projectId(), preserve).isPresent()) {
                throw taken(preserve, null);
            }
            return;
        }
        if (request.fromItself()) {
            throw ControlException.invalid(
                    "preserve_under_name: is needed when a branch is restored from itself, because"
                            + " the restored branch continues what is preserved");
        }
        List<Branch> children = inventory.livingChildrenOf(target.id());
        if (!children.isEmpty()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + target.name() + "\" has children (" + BranchDeletion.names(children)
                            + "): give preserve_under_name, and they move to the branch of that name; or delete them"
                            + " first");
        }
    }

    private Restored restore(Request request, Branch target, Branch source, Lease point) {
        TimelineId timeline = new TimelineId(ids.branch());
        String helper = ids.endpoint();
        Operation operation = operations.draft(
                target.projectId(),
                target.id(),
                inventory.endpointOfBranch(target.id()).map(Endpoint::id).orElse(null),
                Operation.CREATE_TIMELINE,
                Operation.Status.RUNNING,
                new UnfinishedCreation(timeline, helper).text());
        operations.record(operation);
        Optional<BranchMasking> rules = maskedReset.needed(request, target);
        try {
            LiveState contents = rules.isPresent()
                    ? maskedReset.prepare(target, rules.get(), timeline, point.point(), helper)
                    : restoredContents.prepare(request, target, source, timeline, point.point(), helper);
            Instant time = request.point() instanceof BranchPointRequest.AtTime(var asked) ? asked : null;
            Branch.Origin origin = new Branch.Origin(source.id(), point.point().lsn(), time, request.fromItself());
            Branch restored = move.run(
                    request,
                    target,
                    new BranchMove.Prepared(timeline, origin, contents, rules.map(maskedReset::applied)),
                    operation);
            hidden.sweep();
            return new Restored(restored, List.of(operations.finished(operation)));
        } catch (ComputeException e) {
            ControlException refused = new ControlException(
                    ControlException.Kind.UNAVAILABLE,
                    "the branch's compute could not be stopped: " + e.getMessage(),
                    e);
            removal.undo(operation, refused);
            rules.ifPresent(before -> maskedReset.failed(before, refused));
            throw refused;
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            rules.ifPresent(before -> maskedReset.failed(before, e));
            String preserve = request.preserveUnderName();
            throw e instanceof ControlException refused
                            && refused.kind() == ControlException.Kind.CONFLICT
                            && preserve != null
                    ? taken(preserve, e)
                    : e;
        }
    }

    private static ControlException taken(String name, @Nullable Throwable cause) {
        return new ControlException(
                ControlException.Kind.CONFLICT, "branch with name \"" + name + "\" already exists", cause);
    }
}
