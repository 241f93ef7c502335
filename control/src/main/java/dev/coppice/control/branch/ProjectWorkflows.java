package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Makes, renames and deletes projects. */
public final class ProjectWorkflows {
    static final String CREATE = "create_timeline";
    static final String DELETE = "delete_project";

    /** The timeline of the template cluster, which every project's first branch begins with. */
    public static final TimelineId TEMPLATE = new TimelineId("template");

    private final Workshop shop;
    private final Removal removal;

    public ProjectWorkflows(Workshop shop) {
        this.shop = shop;
        this.removal = new Removal(shop);
    }

    /** A project to be made, with its first branch, role and database. */
    public record Request(
            String name,
            String branchName,
            String roleName,
            String databaseName,
            int historyRetentionSeconds,
            ProjectSettings settings) {}

    /** A project that was just made. */
    public record MadeProject(Project project, Made made) {}

    /** The major version that every project runs. */
    public int pgVersion() {
        return shop.pgVersion();
    }

    /** Makes a project; its branch is awake and can be connected to when this returns. */
    public MadeProject create(Request request) {
        Names.project(request.name());
        Names.branch(request.branchName());
        Names.role(request.roleName());
        Names.database(request.databaseName());
        HistoryRetention.check(request.historyRetentionSeconds());
        ComputeSizes.check(request.settings().endpoints());
        String id = shop.ids().project();
        if (!request.settings().endpoints().postgres().isEmpty()) {
            new SettingsTrial(shop).run(id, request.settings());
        }
        Instant now = shop.now();
        Project project = new Project(
                id, request.name(), shop.pgVersion(), request.historyRetentionSeconds(), request.settings(), now, now);
        String branchId = shop.ids().branch();
        Branch branch = new Branch(
                branchId,
                project.id(),
                null,
                null,
                null,
                request.branchName(),
                branchId,
                BranchState.READY,
                true,
                false,
                "console",
                null,
                false,
                now,
                now);
        Endpoint endpoint = new Endpoint(
                shop.ids().endpoint(),
                project.id(),
                branchId,
                Endpoint.READ_WRITE,
                0,
                false,
                EndpointSettings.DEFAULTS,
                true,
                now,
                now,
                now);
        TimelineId timeline = Workshop.timeline(branch);
        Operation operation = shop.operation(
                project.id(),
                branchId,
                endpoint.id(),
                CREATE,
                Operation.Status.RUNNING,
                new Removal.Detail(timeline, endpoint.id()).text());
        shop.catalog().transaction(connection -> {
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
        try {
            String password = shop.tokens().password();
            shop.createTimeline(timeline, shop.pages().timeline(TEMPLATE).head(), project.retention());
            LiveState live = furnish(request, endpoint, timeline, password);
            BranchContents contents = publish(request, project, branch, endpoint, operation, live, password);
            shop.monitor().watch(endpoint.id());
            if (!request.settings().equals(ProjectSettings.DEFAULTS)) {
                // It was started before its settings could be looked up; the first client wakes it with them.
                shop.monitor().suspend(endpoint.id());
            }
            return new MadeProject(project, new Made(branch, Optional.of(endpoint), List.of(operation), contents));
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            throw e;
        }
    }

    private LiveState furnish(Request request, Endpoint endpoint, TimelineId timeline, String password) {
        String verifier = ScramVerifier.create(password, shop.random());
        LiveState live = shop.computes().run(endpoint.id(), timeline, connection -> {
            ComputeSql.createOwner(connection, request.roleName(), verifier);
            ComputeSql.createDatabase(connection, request.databaseName(), request.roleName());
            return ComputeSql.read(connection);
        });
        shop.powers().apply(request.settings(), timeline, shop.computes().awake(endpoint.id(), timeline));
        return live;
    }

    private BranchContents publish(
            Request request,
            Project project,
            Branch branch,
            Endpoint endpoint,
            Operation operation,
            LiveState live,
            String password) {
        byte[] sealed = shop.secrets().seal(password, RoleWorkflows.sealContext(request.roleName()));
        return shop.catalog()
                .changeReturning(
                        project.id(),
                        connection -> {
                            Rows.insert(connection, project);
                            Rows.insert(connection, branch);
                            Rows.insert(connection, endpoint);
                            RoleRows.put(
                                    connection,
                                    branch.id(),
                                    Objects.requireNonNull(live.roles().get(request.roleName())),
                                    sealed,
                                    branch.createdAt());
                            RoleRows.putDatabase(
                                    connection,
                                    branch.id(),
                                    request.databaseName(),
                                    request.roleName(),
                                    branch.createdAt());
                            OperationRows.finish(
                                    connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                            return BranchContents.read(shop, connection, branch.id());
                        },
                        image -> {
                            image.put(project);
                            image.putRoles(branch.id(), live.roles());
                            image.put(branch);
                            image.put(endpoint);
                        });
    }

    /** Changes how far back the project's branches can be restored, in seconds; applies at once to all of them. */
    public Project setRetention(String projectId, int seconds) {
        return new HistoryRetention(shop).set(projectId, seconds);
    }

    /**
     * Changes what the project's owner sets; computes have it from their next start.
     *
     * @param change of what is set then, which may be newer than what the caller saw; called more than once
     * @throws ControlException UNPROCESSABLE when Postgres does not start with new parameters; nothing is changed then
     */
    public Project setSettings(String projectId, UnaryOperator<ProjectSettings> change) {
        ProjectSettings now = shop.project(projectId).settings();
        ProjectSettings settings = change.apply(now);
        ComputeSizes.check(settings.endpoints());
        Map<String, String> before = now.endpoints().postgres();
        if (!settings.endpoints().postgres().equals(before)
                && !settings.endpoints().postgres().isEmpty()) {
            new SettingsTrial(shop).run(projectId, settings);
        }
        return shop.catalog().changeProject(projectId, project -> {
            refuseDeleted(project);
            return project.withSettings(change.apply(project.settings()), shop.now());
        });
    }

    public Project rename(String projectId, String name) {
        Names.project(name);
        var _ = shop.project(projectId);
        return shop.catalog().changeProject(projectId, project -> {
            refuseDeleted(project);
            return project.renamed(name, shop.now());
        });
    }

    /** It may have been deleted since the request was looked at. */
    static void refuseDeleted(Project project) {
        if (project.isDeleted()) {
            throw ControlException.notFound("project \"" + project.id() + "\" not found");
        }
    }

    /** Deletes a project with all its branches; it can be recovered for the recovery window. */
    public Project delete(String projectId) {
        return delete(projectId, false);
    }

    /**
     * Deletes a project with all its branches.
     *
     * @param forGood at once with its storage; else it can be recovered for a while
     * @throws ControlException UNPROCESSABLE while it has a protected branch
     */
    public Project delete(String projectId, boolean forGood) {
        boolean recoverable = !forGood && shop.recovery().projectSeconds() > 0;
        Project project;
        Operation operation;
        shop.family().writeLock().lock();
        try {
            Instant now = shop.now();
            project = shop.project(projectId);
            List<Branch> branches = shop.inventory().branchesOf(projectId);
            branches.stream().filter(Branch::isProtected).findFirst().ifPresent(branch -> {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "project \"" + project.name() + "\" cannot be deleted: branch \"" + branch.name()
                                + "\" is protected");
            });
            if (recoverable) {
                operation = mark(
                        projectId,
                        before -> before.deleted(now, now),
                        branches,
                        branch -> branch.living(branch.life().deleted(now, BranchLife.WITH_PROJECT), now)
                                .in(BranchState.DELETED, now));
            } else {
                operation = markForGood(project);
            }
        } finally {
            shop.family().writeLock().unlock();
        }
        if (recoverable) {
            removal.restProject(operation, projectId);
        } else {
            removal.finishProject(operation, projectId);
        }
        return project;
    }

    /** Takes away for good a project that was deleted and not recovered. */
    void purge(String projectId) {
        Operation operation;
        shop.family().writeLock().lock();
        try {
            Optional<Project> found = shop.inventory().deletedProject(projectId);
            if (found.isEmpty()) {
                return;
            }
            operation = markForGood(found.get());
        } finally {
            shop.family().writeLock().unlock();
        }
        removal.finishProject(operation, projectId);
    }

    private Operation markForGood(Project project) {
        return mark(
                project.id(),
                UnaryOperator.identity(),
                shop.inventory().branches().stream()
                        .filter(branch -> branch.projectId().equals(project.id()))
                        .toList(),
                branch -> branch.in(BranchState.DELETING, shop.now()));
    }

    private record Marked(Project project, List<Branch> branches) {}

    private Operation mark(
            String projectId, UnaryOperator<Project> ofProject, List<Branch> branches, UnaryOperator<Branch> ofBranch) {
        Operation operation = shop.operation(projectId, null, null, DELETE, Operation.Status.RUNNING, null);
        var _ = shop.catalog()
                .changeRows(
                        projectId,
                        connection -> {
                            Project project = Rows.changeProject(connection, projectId, ofProject);
                            List<Branch> changed = new ArrayList<>();
                            for (Branch branch : branches) {
                                changed.add(Rows.changeBranch(connection, branch.id(), ofBranch));
                            }
                            OperationRows.insert(connection, operation);
                            return new Marked(project, changed);
                        },
                        (image, marked) -> {
                            image.put(marked.project);
                            marked.branches.forEach(image::put);
                        });
        return operation;
    }
}
