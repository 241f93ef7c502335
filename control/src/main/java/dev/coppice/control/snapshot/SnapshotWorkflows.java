package dev.coppice.control.snapshot;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Snapshot;
import dev.coppice.control.catalog.model.SnapshotPlan;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.SnapshotPlanRows;
import dev.coppice.control.catalog.rows.SnapshotRows;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.control.timeline.BranchPoints;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.history.Lease;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes, renames and deletes snapshots, by request or by schedule. A snapshot is a hidden timeline that begins at its point:
 * O(1), kept from garbage collection as a branch is, whatever becomes of the branch itself.
 */
public final class SnapshotWorkflows {
    private static final Logger log = LoggerFactory.getLogger(SnapshotWorkflows.class);
    private static final int PLANS_MAX = 16;
    private static final int NAME_MAX_CHARACTERS = 256;

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final TimelineFactory timelineFactory;
    private final BranchPoints points;
    private final HiddenTimelines hidden;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final Ids ids;
    private final Clock clock;

    public SnapshotWorkflows(
            Catalog catalog,
            Finder finder,
            TimelineFactory timelineFactory,
            BranchPoints points,
            HiddenTimelines hidden,
            OperationLog operations,
            StorageCleanup removal,
            Ids ids,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.timelineFactory = timelineFactory;
        this.points = points;
        this.hidden = hidden;
        this.operations = operations;
        this.removal = removal;
        this.ids = ids;
        this.clock = clock;
    }

    /** A snapshot that was just taken. */
    public record Taken(Snapshot snapshot, Operation operation) {}

    /**
     * Takes a snapshot.
     *
     * @param name absent = one is made up
     * @param expiresAt absent = it stays until it is deleted
     * @throws ControlException UNPROCESSABLE for a point outside the branch's history
     */
    public Taken take(
            String projectId,
            String branchId,
            BranchPointRequest point,
            @Nullable String name,
            @Nullable Instant expiresAt) {
        if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
            throw ControlException.invalid("expires_at: " + expiresAt + " is not in the future");
        }
        return take(projectId, branchId, point, name, expiresAt, true);
    }

    private Taken take(
            String projectId,
            String branchId,
            BranchPointRequest point,
            @Nullable String name,
            @Nullable Instant expiresAt,
            boolean manual) {
        if (name != null) {
            checkName(name);
        }
        points.prepare(finder.branch(projectId, branchId), point);
        return points.use(
                projectId,
                branchId,
                point,
                "copied",
                (branch, lease) -> take(branch, lease, point, name, expiresAt, manual));
    }

    private Taken take(
            Branch branch,
            Lease lease,
            BranchPointRequest point,
            @Nullable String name,
            @Nullable Instant expiresAt,
            boolean manual) {
        Instant now = clock.instant();
        Snapshot snapshot = new Snapshot(
                ids.snapshot(),
                branch.projectId(),
                branch.id(),
                name == null ? branch.name() + " at " + now : name,
                ids.branch(),
                lease.point().lsn(),
                point instanceof BranchPointRequest.AtTime(var time) ? time : null,
                manual,
                now,
                expiresAt);
        Operation operation = operations.draft(
                branch.projectId(), branch.id(), null, Operation.CREATE_TIMELINE, Operation.Status.FINISHED, null);
        TimelineId timeline = new TimelineId(snapshot.timelineId());
        timelineFactory.create(
                timeline, lease.point(), finder.project(branch.projectId()).retention());
        try {
            catalog.transaction(connection -> {
                SnapshotRows.insert(connection, snapshot);
                OperationRows.insert(connection, operation);
                return Boolean.TRUE;
            });
        } catch (RuntimeException e) {
            removal.removeTimeline(timeline, e);
            throw e;
        }
        return new Taken(snapshot, operation);
    }

    private static void checkName(String name) {
        if (name.isBlank()
                || name.length() > NAME_MAX_CHARACTERS
                || name.chars().anyMatch(Character::isISOControl)) {
            throw ControlException.invalid(
                    "snapshot.name: must have 1 to " + NAME_MAX_CHARACTERS + " characters and no control characters");
        }
    }

    /** A project's snapshots, oldest first. */
    public List<Snapshot> list(String projectId) {
        finder.project(projectId);
        return catalog.transaction(connection -> SnapshotRows.list(connection, projectId));
    }

    public Snapshot snapshot(String projectId, String id) {
        finder.project(projectId);
        return catalog.transaction(connection -> SnapshotRows.find(connection, projectId, id))
                .orElseThrow(() -> ControlException.notFound("snapshot \"" + id + "\" not found"));
    }

    public Snapshot rename(String projectId, String id, String name) {
        checkName(name);
        return change(projectId, id, snapshot -> snapshot.renamed(name));
    }

    /** @param end null = never */
    public Snapshot setExpiry(String projectId, String id, @Nullable Instant end) {
        if (end != null && !end.isAfter(clock.instant())) {
            throw ControlException.invalid("snapshot.expires_at: " + end + " is not in the future");
        }
        return change(projectId, id, snapshot -> snapshot.expiringAt(end));
    }

    private Snapshot change(String projectId, String id, UnaryOperator<Snapshot> change) {
        var _ = finder.project(projectId);
        return catalog.transaction(connection -> SnapshotRows.change(connection, projectId, id, change))
                .orElseThrow(() -> ControlException.notFound("snapshot \"" + id + "\" not found"));
    }

    /** Deletes the snapshot; branches that were made from it stay. */
    public Operation delete(String projectId, String id) {
        Snapshot snapshot = snapshot(projectId, id);
        Operation operation = operations.draft(
                projectId, snapshot.sourceBranchId(), null, Operation.DELETE_TIMELINE, Operation.Status.FINISHED, null);
        catalog.transaction(connection -> {
            SnapshotRows.delete(connection, snapshot);
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
        hidden.sweep();
        return operation;
    }

    /** The plans by which snapshots of the branch are taken. */
    public List<SnapshotPlan> schedule(String projectId, String branchId) {
        Branch branch = finder.branch(projectId, branchId);
        return catalog.transaction(connection -> SnapshotPlanRows.list(connection, branch.id()));
    }

    /** Replaces the plans by which snapshots of the branch are taken; the first of each is taken when it is due next. */
    public void setSchedule(String projectId, String branchId, List<SnapshotPlan> plans) {
        if (plans.size() > PLANS_MAX) {
            throw ControlException.invalid("schedule: must have at most " + PLANS_MAX + " items");
        }
        Branch branch = finder.branch(projectId, branchId);
        catalog.transaction(connection -> {
            SnapshotPlanRows.replace(connection, branch.id(), plans, clock.instant());
            return Boolean.TRUE;
        });
    }

    /** Takes what is due by schedule, and deletes what has expired. */
    public void keepUp() {
        Instant now = clock.instant();
        @Nullable Instant due = catalog.transaction(SnapshotRows::nextDue);
        if (due == null || due.isAfter(now)) {
            return;
        }
        for (SnapshotPlanRows.Due planned : catalog.transaction(connection -> SnapshotPlanRows.due(connection, now))) {
            try {
                takePlanned(planned, now);
            } catch (ControlException e) {
                log.warn(
                        "A scheduled snapshot of branch {} could not be taken: {}", planned.branchId(), e.getMessage());
            }
        }
        for (Snapshot expired : catalog.transaction(connection -> SnapshotRows.expired(connection, now))) {
            delete(expired.projectId(), expired.id());
        }
    }

    private void takePlanned(SnapshotPlanRows.Due planned, Instant now) {
        Branch branch = inventory
                .branch(planned.branchId())
                .orElseThrow(() -> ControlException.notFound("branch \"" + planned.branchId() + "\" not found"));
        Integer retention = planned.plan().retentionSeconds();
        take(
                branch.projectId(),
                branch.id(),
                new BranchPointRequest.Head(),
                null,
                retention == null ? null : now.plusSeconds(retention),
                false);
        // What was missed while the server was away is taken once.
        catalog.transaction(connection -> {
            SnapshotPlanRows.advance(connection, planned, planned.plan().after(now));
            return Boolean.TRUE;
        });
    }
}
