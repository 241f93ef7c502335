package dev.coppice.control.api;

import dev.coppice.control.branch.BranchContents;
import dev.coppice.control.branch.Made;
import dev.coppice.control.branch.ProjectWorkflows;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Operation;
import dev.coppice.control.catalog.OperationRows;
import dev.coppice.control.catalog.Project;
import dev.coppice.control.error.ControlException;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Projects and their operations. */
final class ProjectRoutes {
    private static final String DEFAULT_DATABASE = "coppice";
    private static final String DEFAULT_BRANCH = "main";
    private static final int OPERATIONS_DEFAULT = 100;

    private final Catalog catalog;
    private final ProjectWorkflows projects;
    private final ViewMaker views;

    ProjectRoutes(Catalog catalog, ProjectWorkflows projects, ViewMaker views) {
        this.catalog = catalog;
        this.projects = projects;
        this.views = views;
    }

    void register(Routes routes) {
        routes.get("/projects", this::list);
        routes.get(
                "/projects/shared",
                _ -> Reply.ok(new Views.Projects(List.of(), new Views.Pagination(null, null, null, null))));
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

    private Project find(Call call) {
        return catalog.inventory()
                .project(call.project())
                .orElseThrow(() -> ControlException.notFound("project \"" + call.project() + "\" not found"));
    }

    private Reply list(Call call) {
        String search = call.query("search");
        List<Project> all = call.flag("recoverable")
                ? catalog.inventory().deletedProjects()
                : catalog.inventory().projects();
        List<Project> found = all.stream()
                .filter(project -> search == null
                        || project.name().contains(search)
                        || project.id().contains(search))
                .toList();
        Pages<Project> page = Pages.cut(found, Project::id, call.limit(0), call.query("cursor"));
        String cursor = page.items().isEmpty() ? null : page.items().getLast().id();
        return Reply.ok(new Views.Projects(
                page.items().stream().map(views::project).toList(), new Views.Pagination(cursor, null, null, null)));
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
                Objects.requireNonNullElse(asked.historyRetentionSeconds(), Project.RETENTION_DEFAULT_SECONDS)));
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

    private Reply update(Call call) throws IOException {
        Bodies.ProjectChange asked = call.body(Bodies.UpdateProject.class).project();
        if (asked == null) {
            throw ControlException.invalid("project: is missing");
        }
        Project project = asked.name() == null ? find(call) : projects.rename(call.project(), asked.name());
        if (asked.historyRetentionSeconds() != null) {
            project = projects.setRetention(call.project(), asked.historyRetentionSeconds());
        }
        return Reply.ok(new Views.OneProject(views.project(project)));
    }

    private Reply operations(Call call) {
        Project project = find(call);
        long before = before(call);
        List<OperationRows.Listed> listed = catalog.transaction(
                connection -> OperationRows.list(connection, project.id(), before, call.limit(OPERATIONS_DEFAULT)));
        String cursor = listed.isEmpty() ? null : Long.toString(listed.getLast().sequence());
        return Reply.ok(new Views.Operations(
                listed.stream().map(item -> views.operation(item.operation())).toList(),
                new Views.Pagination(cursor, null, null, null)));
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
        Operation operation = catalog.transaction(
                        connection -> OperationRows.find(connection, project.id(), call.name()))
                .orElseThrow(() -> ControlException.notFound("operation \"" + call.name() + "\" not found"));
        return Reply.ok(new Views.OneOperation(views.operation(operation)));
    }
}
