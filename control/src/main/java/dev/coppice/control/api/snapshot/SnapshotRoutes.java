package dev.coppice.control.api.snapshot;

import dev.coppice.control.api.branch.BranchRoutes;
import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.Points;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Snapshot;
import dev.coppice.control.catalog.model.SnapshotPlan;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.snapshot.SnapshotFinalization;
import dev.coppice.control.snapshot.SnapshotRestore;
import dev.coppice.control.snapshot.SnapshotWorkflows;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Snapshots, their schedules, and restoring them in two steps. */
public final class SnapshotRoutes {
    private static final int HOURS = 24;
    private static final int DAYS_OF_WEEK = 7;
    private static final int DAYS_OF_MONTH = 31;
    private static final int MONTHS = 12;

    private final Lookup lookup;
    private final SnapshotWorkflows snapshots;
    private final SnapshotRestore restores;
    private final SnapshotFinalization finalization;
    private final ViewMaker views;

    public SnapshotRoutes(
            Lookup lookup,
            SnapshotWorkflows snapshots,
            SnapshotRestore restores,
            SnapshotFinalization finalization,
            ViewMaker views) {
        this.lookup = lookup;
        this.snapshots = snapshots;
        this.restores = restores;
        this.finalization = finalization;
        this.views = views;
    }

    public void register(Routes routes) {
        routes.post("/projects/{project}/branches/{branch}/snapshot", this::take);
        routes.get(
                "/projects/{project}/snapshots",
                call -> Reply.ok(new Listed(snapshots.list(call.project()).stream()
                        .map(SnapshotRoutes::view)
                        .toList())));
        routes.patch("/projects/{project}/snapshots/{name}", this::update);
        routes.delete(
                "/projects/{project}/snapshots/{name}",
                call -> Reply.accepted(
                        new Operations(List.of(views.operation(snapshots.delete(call.project(), call.name()))))));
        routes.post("/projects/{project}/snapshots/{name}/restore", this::restore);
        routes.post("/projects/{project}/branches/{branch}/finalize_restore", this::finalizeRestore);
        routes.get(
                "/projects/{project}/branches/{branch}/backup_schedule",
                call -> Reply.ok(new Schedule(
                        snapshots.schedule(call.project(), lookup.branch(call).id()).stream()
                                .map(SnapshotRoutes::view)
                                .toList())));
        routes.put("/projects/{project}/branches/{branch}/backup_schedule", this::setSchedule);
    }

    record SnapshotView(
            String id,
            String name,
            String lsn,
            @Nullable Instant timestamp,
            String sourceBranchId,
            Instant createdAt,
            @Nullable Instant expiresAt,
            boolean manual) {}

    record Listed(List<SnapshotView> snapshots) {}

    record Taken(SnapshotView snapshot, List<Views.Operation> operations) {}

    record One(SnapshotView snapshot) {}

    record Operations(List<Views.Operation> operations) {}

    record Restored(Views.Branch branch, List<Views.Endpoint> endpoints, List<Views.Operation> operations) {}

    record Schedule(List<ScheduleItem> schedule) {}

    record ScheduleItem(
            String frequency,
            @Nullable Integer hour,
            @Nullable Integer day,
            @Nullable Integer month,
            @Nullable Integer retentionSeconds) {}

    private static SnapshotView view(Snapshot snapshot) {
        return new SnapshotView(
                snapshot.id(),
                snapshot.name(),
                snapshot.lsn().toString(),
                snapshot.timestamp(),
                snapshot.sourceBranchId(),
                snapshot.createdAt(),
                snapshot.expiresAt(),
                snapshot.manual());
    }

    private static ScheduleItem view(SnapshotPlan plan) {
        return new ScheduleItem(
                plan.frequency().text(), plan.hour(), plan.day(), plan.month(), plan.retentionSeconds());
    }

    private Reply take(Call call) {
        Branch branch = lookup.branch(call);
        SnapshotWorkflows.Taken taken = snapshots.take(
                branch.projectId(),
                branch.id(),
                Points.point("", call.query("lsn"), call.query("timestamp")),
                call.query("name"),
                Points.optionalTime("expires_at", call.query("expires_at")));
        return Reply.ok(new Taken(view(taken.snapshot()), List.of(views.operation(taken.operation()))));
    }

    private Reply update(Call call) throws IOException {
        Bodies.SnapshotChange asked = call.body(Bodies.UpdateSnapshot.class).snapshot();
        if (asked == null) {
            throw ControlException.invalid("snapshot: is missing");
        }
        Snapshot snapshot = snapshots.snapshot(call.project(), call.name());
        if (asked.name() != null) {
            snapshot = snapshots.rename(call.project(), snapshot.id(), asked.name());
        }
        JsonNode expiresAt = asked.expiresAt();
        if (expiresAt != null) {
            snapshot = snapshots.setExpiry(
                    call.project(), snapshot.id(), BranchRoutes.expiry("snapshot.expires_at", expiresAt));
        }
        return Reply.ok(new One(view(snapshot)));
    }

    private Reply restore(Call call) throws IOException {
        Bodies.RestoreSnapshot asked =
                call.body(Bodies.RestoreSnapshot.class, () -> new Bodies.RestoreSnapshot(null, null, null));
        boolean now = Boolean.TRUE.equals(asked.finalizeRestore());
        Snapshot snapshot = snapshots.snapshot(call.project(), call.name());
        String target = Objects.requireNonNullElse(asked.targetBranchId(), snapshot.sourceBranchId());
        if (now) {
            // Before anything is made: what cannot be finalized must not be left half done.
            Branch replaced = lookup.branch(call, target);
            if (replaced.isProtected()) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "branch \"" + replaced.name() + "\" cannot be replaced: it is protected; end its protection"
                                + " first");
            }
        }
        Made made = restores.restore(new SnapshotRestore.Request(
                call.project(),
                snapshot.id(),
                asked.name() == null ? call.query("name") : asked.name(),
                asked.targetBranchId()));
        List<Views.Operation> operations =
                new ArrayList<>(made.operations().stream().map(views::operation).toList());
        if (now) {
            operations.add(views.operation(
                    finalization.finalizeRestore(call.project(), made.branch().id(), null)));
        }
        Branch branch = lookup.branch(call, made.branch().id());
        return Reply.ok(
                new Restored(views.branch(branch), List.of(views.endpoint(lookup.endpointOf(branch))), operations));
    }

    private Reply finalizeRestore(Call call) throws IOException {
        Bodies.FinalizeRestore asked = call.body(Bodies.FinalizeRestore.class, () -> new Bodies.FinalizeRestore(null));
        Operation operation =
                finalization.finalizeRestore(call.project(), lookup.branch(call).id(), asked.name());
        return Reply.ok(new Operations(List.of(views.operation(operation))));
    }

    private Reply setSchedule(Call call) throws IOException {
        List<Bodies.ScheduleItem> items = call.body(Bodies.Schedule.class).schedule();
        if (items == null) {
            throw ControlException.invalid("schedule: is missing");
        }
        List<SnapshotPlan> plans = new ArrayList<>();
        for (Bodies.ScheduleItem item : items) {
            plans.add(plan("schedule[" + plans.size() + "]", item));
        }
        snapshots.setSchedule(call.project(), lookup.branch(call).id(), plans);
        return Reply.ok(Map.of());
    }

    private static SnapshotPlan plan(String at, Bodies.ScheduleItem item) {
        SnapshotPlan.Frequency frequency;
        try {
            frequency = SnapshotPlan.Frequency.of(String.valueOf(item.frequency()));
        } catch (IllegalArgumentException e) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    at + ".frequency: must be hourly, daily, weekly, monthly or yearly",
                    e);
        }
        check(at + ".hour", item.hour(), 0, HOURS - 1);
        check(at + ".day", item.day(), 1, frequency == SnapshotPlan.Frequency.WEEKLY ? DAYS_OF_WEEK : DAYS_OF_MONTH);
        check(at + ".month", item.month(), 1, MONTHS);
        check(
                at + ".retention_seconds",
                item.retentionSeconds(),
                SnapshotPlan.RETENTION_MIN_SECONDS,
                Integer.MAX_VALUE);
        return new SnapshotPlan(frequency, item.hour(), item.day(), item.month(), item.retentionSeconds());
    }

    private static void check(String field, @Nullable Integer value, int min, int max) {
        if (value != null && (value < min || value > max)) {
            throw ControlException.invalid(field + ": must be " + min + " to " + max + ", not " + value);
        }
    }
}
