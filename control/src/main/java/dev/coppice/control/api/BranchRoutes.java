package dev.coppice.control.api;

import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.Made;
import dev.coppice.control.branch.RestoreWorkflow;
import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.BranchLife;
import dev.coppice.control.catalog.Endpoint;
import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Branches. */
final class BranchRoutes {
    private static final Bodies.NewBranch NOTHING_ASKED =
            new Bodies.NewBranch(null, null, null, null, null, null, null);

    private final Lookup lookup;
    private final BranchWorkflows branches;
    private final RestoreWorkflow restores;
    private final ViewMaker views;

    BranchRoutes(Lookup lookup, BranchWorkflows branches, RestoreWorkflow restores, ViewMaker views) {
        this.lookup = lookup;
        this.branches = branches;
        this.restores = restores;
        this.views = views;
    }

    void register(Routes routes) {
        routes.get("/projects/{project}/branches", this::list);
        routes.post("/projects/{project}/branches", this::create);
        routes.get(
                "/projects/{project}/branches/{branch}",
                call -> Reply.ok(new Views.OneBranch(views.measured(lookup.branch(call)), Map.of())));
        routes.patch("/projects/{project}/branches/{branch}", this::update);
        routes.delete("/projects/{project}/branches/{branch}", this::delete);
        routes.post("/projects/{project}/branches/{branch}/restore", this::restore);
        routes.post(
                "/projects/{project}/branches/{branch}/set_as_default",
                call -> Reply.ok(new Views.ChangedBranch(
                        views.branch(branches.setDefault(call.project(), call.branch())), List.of())));
    }

    private Reply list(Call call) {
        String search = call.query("search");
        Stream<Branch> gone = call.flag("include_deleted") ? lookup.deletedBranches(call).stream() : Stream.empty();
        List<Branch> found = Stream.concat(lookup.branches(call).stream(), gone)
                .filter(branch -> search == null
                        || branch.name().contains(search)
                        || branch.id().contains(search))
                .toList();
        Pages<Branch> page = Pages.cut(found, Branch::id, call.limit(0), call.query("cursor"));
        return Reply.ok(new Views.Branches(
                page.items().stream().map(views::branch).toList(),
                Map.of(),
                new Views.Pagination(null, page.next(), "created_at", "ASC")));
    }

    private Reply create(Call call) throws IOException {
        Bodies.CreateBranch body = call.body(Bodies.CreateBranch.class, () -> new Bodies.CreateBranch(null, null));
        return Reply.created(created(branches.create(request(call, body))));
    }

    /** What a body that creates a branch asks for. */
    BranchWorkflows.Request request(Call call, Bodies.CreateBranch body) {
        Bodies.NewBranch asked = Objects.requireNonNullElse(body.branch(), NOTHING_ASKED);
        List<Bodies.BranchEndpoint> endpoints = body.endpoints();
        return new BranchWorkflows.Request(
                lookup.project(call).id(),
                asked.parentId(),
                asked.name(),
                Points.point("branch.parent_", asked.parentLsn(), asked.parentTimestamp()),
                Boolean.TRUE.equals(asked.isProtected()),
                // Without the list, too: a branch that cannot be connected to is of no use to anybody here.
                endpoints == null || !endpoints.isEmpty(),
                suspendTimeout(endpoints),
                asked.initSource() == null ? BranchLife.PARENT_DATA : asked.initSource(),
                Points.optionalTime("branch.expires_at", asked.expiresAt()));
    }

    /** The answer that has a new branch. */
    Views.CreatedBranch created(Made made) {
        return new Views.CreatedBranch(
                views.branch(made.branch()),
                made.endpoint().stream().map(views::endpoint).toList(),
                made.contents().roles().stream()
                        .map(role -> views.role(role, null))
                        .toList(),
                made.contents().databases().stream().map(views::database).toList(),
                made.operations().stream().map(views::operation).toList(),
                views.connectionUris(made));
    }

    private static int suspendTimeout(@Nullable List<Bodies.BranchEndpoint> endpoints) {
        if (endpoints == null || endpoints.isEmpty()) {
            return 0;
        }
        if (endpoints.size() > 1) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "endpoints: a branch can have one endpoint only");
        }
        Bodies.BranchEndpoint asked = endpoints.getFirst();
        if (asked.type() != null && !asked.type().equals(Endpoint.READ_WRITE)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "endpoints[0].type: only read_write is supported");
        }
        return Objects.requireNonNullElse(asked.suspendTimeoutSeconds(), 0);
    }

    private Reply restore(Call call) throws IOException {
        Bodies.RestoreBranch asked = call.body(Bodies.RestoreBranch.class);
        if (asked.sourceBranchId() == null) {
            throw ControlException.invalid("source_branch_id: is missing");
        }
        Branch target = lookup.branch(call);
        Branch source = lookup.branch(call, asked.sourceBranchId());
        RestoreWorkflow.Restored restored = restores.restore(new RestoreWorkflow.Request(
                target.projectId(),
                target.id(),
                source.id(),
                Points.point("source_", asked.sourceLsn(), asked.sourceTimestamp()),
                asked.preserveUnderName() == null || asked.preserveUnderName().isEmpty()
                        ? null
                        : asked.preserveUnderName()));
        return Reply.ok(new Views.ChangedBranch(
                views.branch(restored.branch()),
                restored.operations().stream().map(views::operation).toList()));
    }

    private Reply update(Call call) throws IOException {
        Bodies.BranchChange asked = call.body(Bodies.UpdateBranch.class).branch();
        if (asked == null) {
            throw ControlException.invalid("branch: is missing");
        }
        Branch branch = lookup.branch(call);
        if (asked.name() != null) {
            branch = branches.rename(branch.projectId(), branch.id(), asked.name());
        }
        if (asked.isProtected() != null) {
            branch = branches.setProtected(branch.projectId(), branch.id(), asked.isProtected());
        }
        JsonNode expiresAt = asked.expiresAt();
        if (expiresAt != null) {
            branch = branches.setExpiry(branch.projectId(), branch.id(), expiry("branch.expires_at", expiresAt));
        }
        return Reply.ok(new Views.ChangedBranch(views.branch(branch), List.of()));
    }

    /** A time, or null for JSON's null: never. */
    static @Nullable Instant expiry(String field, JsonNode value) {
        if (value.isNull()) {
            return null;
        }
        if (!value.isString()) {
            throw ControlException.invalid(field + ": has a wrong type or form");
        }
        return Points.time(field, value.asString());
    }

    private Reply delete(Call call) {
        Branch branch = lookup.branch(call);
        return Reply.ok(new Views.ChangedBranch(
                views.branch(branches.delete(branch.projectId(), branch.id(), call.flag("hard_delete"))), List.of()));
    }
}
