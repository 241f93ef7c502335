package dev.coppice.control.api.branch;

import dev.coppice.control.api.server.AnonymizedScope;
import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.Pages;
import dev.coppice.control.api.view.Points;
import dev.coppice.control.api.view.SettingsChange;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.branch.Annotations;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.restore.RestoreWorkflow;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Branches. */
public final class BranchRoutes {
    private static final Bodies.NewBranch NOTHING_ASKED =
            new Bodies.NewBranch(null, null, null, null, null, null, null);

    private final Lookup lookup;
    private final BranchWorkflows branches;
    private final RestoreWorkflow restores;
    private final Annotations annotations;
    private final ViewMaker views;
    private final AnonymizedScope anonymized;

    public BranchRoutes(
            Lookup lookup,
            BranchWorkflows branches,
            RestoreWorkflow restores,
            Annotations annotations,
            ViewMaker views,
            AnonymizedScope anonymized) {
        this.lookup = lookup;
        this.branches = branches;
        this.restores = restores;
        this.annotations = annotations;
        this.views = views;
        this.anonymized = anonymized;
    }

    public void register(Routes routes) {
        routes.get("/projects/{project}/branches", this::list);
        routes.post("/projects/{project}/branches", this::create);
        routes.get(
                "/projects/{project}/branches/count",
                call -> Reply.ok(Map.of("count", searched(call).size())));
        routes.get("/projects/{project}/branches/{branch}", this::get);
        routes.patch("/projects/{project}/branches/{branch}", this::update);
        routes.delete("/projects/{project}/branches/{branch}", this::delete);
        routes.post("/projects/{project}/branches/{branch}/restore", this::restore);
        routes.post(
                "/projects/{project}/branches/{branch}/set_as_default",
                call -> Reply.ok(new Views.ChangedBranch(
                        views.branch(branches.setDefault(call.project(), call.branch())), List.of())));
    }

    private Reply list(Call call) {
        String asked = call.query("sort_by");
        String sortBy = asked == null ? "created_at" : asked;
        Function<Branch, Pages.Position> position = position(sortBy);
        boolean descending = call.isDescending();
        Pages<Branch> page = Pages.cut(searched(call), position, descending, call.limit(0), call.query("cursor"));
        Map<String, Views.Annotation> shown = new HashMap<>();
        for (Branch branch : page.items()) {
            annotations.of(branch.id()).ifPresent(found -> shown.put(branch.id(), Views.Annotation.of(found)));
        }
        return Reply.ok(new Views.Branches(
                page.items().stream().map(views::branch).toList(),
                shown,
                new Views.Pagination(null, page.next(), sortBy, descending ? "DESC" : "ASC")));
    }

    private List<Branch> searched(Call call) {
        String search = call.query("search");
        Stream<Branch> gone = call.flag("include_deleted") ? lookup.deletedBranches(call).stream() : Stream.empty();
        return Stream.concat(lookup.branches(call).stream(), gone)
                .filter(branch -> search == null
                        || branch.name().contains(search)
                        || branch.id().contains(search))
                .toList();
    }

    private static Function<Branch, Pages.Position> position(String sortBy) {
        return switch (sortBy) {
            case "name" -> branch -> new Pages.Position(branch.name(), branch.id());
            case "created_at" -> branch -> Pages.Position.of(branch.createdAt(), branch.id());
            case "updated_at" -> branch -> Pages.Position.of(branch.updatedAt(), branch.id());
            default -> throw ControlException.invalid("sort_by: must be name, created_at or updated_at");
        };
    }

    private Reply get(Call call) {
        Branch branch = lookup.branch(call);
        return Reply.ok(new Views.OneBranch(
                views.measured(branch),
                annotations
                        .of(branch.id())
                        .map(Views.Annotation::of)
                        .orElseGet(() -> Views.Annotation.none(branch.id()))));
    }

    private Reply create(Call call) throws IOException {
        Bodies.CreateBranch body =
                call.body(Bodies.CreateBranch.class, () -> new Bodies.CreateBranch(null, null, null));
        anonymized.requireMaskedParent(
                call, Objects.requireNonNullElse(body.branch(), NOTHING_ASKED).parentId());
        Map<String, String> notes = Annotations.checked(body.annotationValue());
        Made made = branches.create(request(call, body));
        annotations.put(made.branch(), notes);
        return Reply.created(created(made));
    }

    /** What a body that creates a branch asks for. */
    public BranchWorkflows.Request request(Call call, Bodies.CreateBranch body) {
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
                settings(endpoints),
                asked.initSource() == null ? BranchLife.PARENT_DATA : asked.initSource(),
                Points.optionalTime("branch.expires_at", asked.expiresAt()));
    }

    /** The answer that has a new branch. */
    public Views.CreatedBranch created(Made made) {
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

    private static EndpointSettings settings(@Nullable List<Bodies.BranchEndpoint> endpoints) {
        if (endpoints == null || endpoints.isEmpty()) {
            return EndpointSettings.DEFAULTS;
        }
        Bodies.BranchEndpoint asked = endpoints.getFirst();
        return SettingsChange.endpoint(
                EndpointSettings.DEFAULTS,
                null,
                asked.autoscalingLimitMinCu(),
                asked.autoscalingLimitMaxCu(),
                asked.settings());
    }

    private Reply restore(Call call) throws IOException {
        Bodies.RestoreBranch asked = call.body(Bodies.RestoreBranch.class);
        if (asked.sourceBranchId() == null) {
            throw ControlException.invalid("source_branch_id: is missing");
        }
        Branch target = lookup.branch(call);
        Branch source = lookup.branch(call, asked.sourceBranchId());
        if (!restores.masks(target)) {
            anonymized.requireMasked(call, source);
        }
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
    public static @Nullable Instant expiry(String field, JsonNode value) {
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
