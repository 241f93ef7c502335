package dev.coppice.control.snapshot;

import dev.coppice.common.TimelineId;
import dev.coppice.control.branch.BranchMaker;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.model.Snapshot;
import dev.coppice.control.catalog.rows.SnapshotRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.PageService;
import dev.coppice.storage.history.Lease;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Restores a snapshot, in two steps as at Neon: a branch of its own is made from it, to be looked at; then {@link
 * SnapshotFinalization} puts that branch in the place of the one that it is to replace. Thread-safe.
 */
public final class SnapshotRestore {
    private final Inventory inventory;
    private final Finder finder;
    private final PageService pages;
    private final TimelineFactory timelineFactory;
    private final BranchLocks locks;
    private final BranchMaker maker;
    private final SnapshotWorkflows snapshots;
    private final Ids ids;
    private final Clock clock;

    public SnapshotRestore(
            Inventory inventory,
            Finder finder,
            PageService pages,
            TimelineFactory timelineFactory,
            BranchLocks locks,
            BranchMaker maker,
            SnapshotWorkflows snapshots,
            Ids ids,
            Clock clock) {
        this.inventory = inventory;
        this.finder = finder;
        this.pages = pages;
        this.timelineFactory = timelineFactory;
        this.locks = locks;
        this.maker = maker;
        this.snapshots = snapshots;
        this.ids = ids;
        this.clock = clock;
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
            finder.branch(request.projectId(), target);
        }
        String id = ids.branch();
        String name = request.name() == null ? id : NameRules.branch(request.name());
        if (inventory.branchNamed(request.projectId(), name).isPresent()) {
            throw ControlException.conflict("branch with name \"" + name + "\" already exists");
        }
        locks.family().readLock().lock();
        try {
            BranchPoint point =
                    pages.timeline(new TimelineId(snapshot.timelineId())).head();
            try (Lease _ = pages.lease(point)) {
                BranchMaker.Draft draft = draft(request, snapshot, target, id, name);
                boolean guarded = inventory
                        .branch(snapshot.sourceBranchId())
                        .filter(Branch::isProtected)
                        .isPresent();
                return maker.awaken(
                        draft,
                        (connection, branch) -> SnapshotRows.inheritPasswords(connection, snapshot.id(), branch),
                        timeline -> timelineFactory.create(timeline, point, maker.retention(draft)),
                        guarded);
            }
        } finally {
            locks.family().readLock().unlock();
        }
    }

    private BranchMaker.Draft draft(Request request, Snapshot snapshot, String target, String id, String name) {
        Instant now = clock.instant();
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
        Map<String, RoleMasking> masked = new HashMap<>(inventory.roleMaskings(snapshot.sourceBranchId()));
        inventory.roleMaskings(target).forEach(masked::putIfAbsent);
        return new BranchMaker.Draft(
                branch, Optional.of(maker.endpoint(branch, 0, EndpointSettings.DEFAULTS, true)), masked.values());
    }
}
