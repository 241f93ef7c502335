package dev.coppice.control.api.project;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Caller;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Account;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.Pages;
import dev.coppice.control.api.view.SettingsChange;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.ListedOperation;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.project.ProjectWorkflows;
import dev.coppice.control.role.BranchContents;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Projects and their operations. */
public final class ProjectRoutes {
    private static final String DEFAULT_DATABASE = "coppice";
    private static final String DEFAULT_BRANCH = "main";
    private static final int OPERATIONS_DEFAULT = 100;

    private final Inventory inventory;
    private final OperationLog operations;
    private final ProjectWorkflows projects;
    private final SettingsChange settings;
    private final ViewMaker views;

    public ProjectRoutes(
            Inventory inventory,
            OperationLog operations,
            ProjectWorkflows projects,
            SettingsChange settings,
            ViewMaker views) {
        this.inventory = inventory;
        this.operations = operations;
        this.projects = projects;
        this.settings = settings;
        this.views = views;
    }

    public void register(Routes routes) {
        routes.openToProjectKeys("/projects/shared");
        registerList(routes);
        routes.get("/projects/shared", _ -> Reply.ok(projects(List.of(), null)));
        routes.post("/projects", this::create);
        routes.get("/projects/{project}", call -> Reply.ok(new Views.OneProject(views.project(find(call)))));
        routes.patch("/projects/{project}", this::update);
        routes.delete(
                "/projects/{project}",
                call -> Reply.ok(new Views.OneProject(
                        views.project(projects.delete(call.project(), call.flag("hard_delete"))))));
        routes.get("/projects/{project}/operations", this::operations);
        routes.get("/projects/{project}/operations/{name}", this::operation);
    }

    /** A key of one project may list projects, and sees its own; it cannot make another. */
    private void registerList(Routes routes) {
        routes.openToProjectKeys("GET /projects");
        routes.get("/projects", this::list);
    }

    private Project find(Call call) {
        return inventory
                .project(call.project())
                .orElseThrow(() -> ControlException.notFound("project \"" + call.project() + "\" not found"));
    }

    private Reply list(Call call) {
        String organization = call.query("org_id");
        if (organization != null && !organization.equals(Account.ORGANIZATION)) {
            throw ControlException.notFound(
                    "organization \"" + organization + "\" not found; the only one is " + Account.ORGANIZATION);
        }
        String search = call.query("search");
        Caller caller = call.caller();
        List<Project> all = call.flag("recoverable") ? inventory.deletedProjects() : inventory.projects();
        List<Project> found = all.stream()
                .filter(project -> caller.sees(project.id())
                        && (search == null
                                || project.name().contains(search)
                                || project.id().contains(search)))
                .toList();
        Pages<Project> page = Pages.cut(
                found,
                project -> Pages.Position.of(project.createdAt(), project.id()),
                false,
                call.limit(0),
                call.query("cursor"));
        return Reply.ok(projects(page.items().stream().map(views::project).toList(), page.last()));
    }

    private static Views.Projects projects(List<Views.Project> projects, @Nullable String cursor) {
        return new Views.Projects(
                projects, Map.of(), Map.of(), cursor == null ? null : new Views.Pagination(cursor, null, null, null));
    }

    private Reply create(Call call) throws IOException {
        Bodies.NewProject asked = call.body(Bodies.CreateProject.class).project();
        if (asked == null) {
            throw ControlException.invalid("project: is missing");
        }
        Bodies.FirstBranch branch = asked.branch();
        String databaseName =
                branch == null || branch.databaseName() == null ? DEFAULT_DATABASE : branch.databaseName();
        String roleName = branch == null || branch.roleName() == null ? databaseName + "_owner" : branch.roleName();
        String branchName = branch == null || branch.name() == null ? DEFAULT_BRANCH : branch.name();
        String name = asked.name() == null ? "project" : asked.name();
        if (asked.orgId() != null && !asked.orgId().equals(Account.ORGANIZATION)) {
            throw ControlException.notFound("project.org_id: organization \"" + asked.orgId() + "\" not found");
        }
        if (Boolean.FALSE.equals(asked.storePasswords())) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "project.store_passwords: passwords are always stored, encrypted with the server's key file");
        }
        Integer version = asked.pgVersion();
        if (version != null && version != projects.pgVersion()) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "project.pg_version: this server runs Postgres " + projects.pgVersion() + " only");
        }
        ProjectWorkflows.MadeProject project = projects.create(new ProjectWorkflows.Request(
                name,
                branchName,
                roleName,
                databaseName,
                Objects.requireNonNullElse(asked.historyRetentionSeconds(), Project.RETENTION_DEFAULT_SECONDS),
                settings.project(ProjectSettings.DEFAULTS, asked.settings(), endpointDefaults(asked))));
        Made made = project.made();
        Optional<BranchContents.Login> login = made.contents().login();
        return Reply.created(new Views.CreatedProject(
                views.project(project.project()),
                views.branch(made.branch()),
                made.endpoint().stream().map(views::endpoint).toList(),
                made.contents().roles().stream()
                        .map(role -> views.role(
                                role,
                                login.filter(owner -> owner.role().equals(role.name()))
                                        .map(BranchContents.Login::password)
                                        .orElse(null)))
                        .toList(),
                made.contents().databases().stream().map(views::database).toList(),
                made.operations().stream().map(views::operation).toList(),
                views.connectionUris(made)));
    }

    /** Older clients give the size beside the settings. */
    private static Bodies.@Nullable DefaultEndpointSettings endpointDefaults(Bodies.NewProject asked) {
        Bodies.DefaultEndpointSettings given = asked.defaultEndpointSettings();
        if (given != null || (asked.autoscalingLimitMinCu() == null && asked.autoscalingLimitMaxCu() == null)) {
            return given;
        }
        return new Bodies.DefaultEndpointSettings(
                asked.autoscalingLimitMinCu(), asked.autoscalingLimitMaxCu(), null, null);
    }

    private Reply update(Call call) throws IOException {
        Bodies.ProjectChange asked = call.body(Bodies.UpdateProject.class).project();
        if (asked == null) {
            throw ControlException.invalid("project: is missing");
        }
        Project project = find(call);
        // Everything is checked before anything is changed.
        UnaryOperator<ProjectSettings> change =
                before -> settings.project(before, asked.settings(), asked.defaultEndpointSettings());
        if (!change.apply(project.settings()).equals(project.settings())) {
            project = projects.setSettings(project.id(), change);
        }
        if (asked.historyRetentionSeconds() != null) {
            project = projects.setRetention(project.id(), asked.historyRetentionSeconds());
        }
        if (asked.name() != null) {
            project = projects.rename(project.id(), asked.name());
        }
        return Reply.ok(new Views.ChangedProject(views.project(project), List.of()));
    }

    private Reply operations(Call call) {
        Project project = find(call);
        List<ListedOperation> listed = operations.list(project.id(), before(call), call.limit(OPERATIONS_DEFAULT));
        String cursor = listed.isEmpty() ? null : Long.toString(listed.getLast().sequence());
        return Reply.ok(new Views.Operations(
                listed.stream().map(item -> views.operation(item.operation())).toList(),
                cursor == null ? null : new Views.Pagination(cursor, null, null, null)));
    }

    private static long before(Call call) {
        String cursor = call.query("cursor");
        try {
            return cursor == null ? Long.MAX_VALUE : Long.parseLong(cursor);
        } catch (NumberFormatException e) {
            throw new ControlException(ControlException.Kind.INVALID, "cursor: is not one of ours", e);
        }
    }

    private Reply operation(Call call) {
        Project project = find(call);
        Operation operation = operations
                .find(project.id(), call.name())
                .orElseThrow(() -> ControlException.notFound("operation \"" + call.name() + "\" not found"));
        return Reply.ok(new Views.OneOperation(views.operation(operation)));
    }
}
