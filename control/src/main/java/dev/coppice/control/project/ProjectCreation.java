package dev.coppice.control.project;

import dev.coppice.common.TimelineId;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.endpoint.OwnerPowers;
import dev.coppice.control.id.Ids;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.UnfinishedCreation;
import dev.coppice.control.role.BranchContents;
import dev.coppice.control.role.RolePasswords;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.PageService;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Makes projects: a timeline from the template, a role and a database in it, then one transaction. A failure leaves nothing. */
public final class ProjectCreation {
    private final Catalog catalog;
    private final PageService pages;
    private final TimelineFactory timelineFactory;
    private final Computes computes;
    private final OwnerPowers powers;
    private final ActivityMonitor monitor;
    private final RolePasswords passwords;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final SettingsTrial trial;
    private final int postgresVersion;
    private final Ids ids;
    private final Clock clock;

    public ProjectCreation(
            Catalog catalog,
            PageService pages,
            TimelineFactory timelineFactory,
            Computes computes,
            OwnerPowers powers,
            ActivityMonitor monitor,
            RolePasswords passwords,
            OperationLog operations,
            StorageCleanup removal,
            SettingsTrial trial,
            int postgresVersion,
            Ids ids,
            Clock clock) {
        this.catalog = catalog;
        this.pages = pages;
        this.timelineFactory = timelineFactory;
        this.computes = computes;
        this.powers = powers;
        this.monitor = monitor;
        this.passwords = passwords;
        this.operations = operations;
        this.removal = removal;
        this.trial = trial;
        this.postgresVersion = postgresVersion;
        this.ids = ids;
        this.clock = clock;
    }

    /** The major version that every project runs. */
    int postgresVersion() {
        return postgresVersion;
    }

    /** Makes a project; its branch is awake and can be connected to when this returns. */
    ProjectWorkflows.MadeProject create(ProjectWorkflows.Request request) {
        NameRules.project(request.name());
        NameRules.branch(request.branchName());
        NameRules.role(request.roleName());
        NameRules.database(request.databaseName());
        HistoryRetention.check(request.historyRetentionSeconds());
        ComputeSizes.check(request.settings().endpoints());
        String id = ids.project();
        if (!request.settings().endpoints().postgres().isEmpty()) {
            trial.run(id, request.settings());
        }
        Instant now = clock.instant();
        Project project = new Project(
                id, request.name(), postgresVersion, request.historyRetentionSeconds(), request.settings(), now, now);
        String branchId = ids.branch();
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
                ids.endpoint(),
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
        TimelineId timeline = branch.timeline();
        Operation operation = operations.draft(
                project.id(),
                branchId,
                endpoint.id(),
                Operation.CREATE_TIMELINE,
                Operation.Status.RUNNING,
                new UnfinishedCreation(timeline, endpoint.id()).text());
        operations.record(operation);
        try {
            String password = passwords.fresh();
            timelineFactory.create(
                    timeline, pages.timeline(ProjectWorkflows.TEMPLATE).head(), project.retention());
            LiveState live = furnish(request, endpoint, timeline, password);
            BranchContents contents = publish(request, project, branch, endpoint, operation, live, password);
            monitor.watch(endpoint.id());
            if (!request.settings().equals(ProjectSettings.DEFAULTS)) {
                // It was started before its settings could be looked up; the first client wakes it with them.
                monitor.suspend(endpoint.id());
            }
            return new ProjectWorkflows.MadeProject(
                    project, new Made(branch, Optional.of(endpoint), List.of(operation), contents));
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            throw e;
        }
    }

    private LiveState furnish(
            ProjectWorkflows.Request request, Endpoint endpoint, TimelineId timeline, String password) {
        String verifier = passwords.verifier(password);
        LiveState live = computes.run(endpoint.id(), timeline, connection -> {
            ComputeSql.createOwner(connection, request.roleName(), verifier);
            ComputeSql.createDatabase(connection, request.databaseName(), request.roleName());
            return ComputeSql.read(connection);
        });
        powers.apply(request.settings(), timeline, computes.awake(endpoint.id(), timeline));
        return live;
    }

    private BranchContents publish(
            ProjectWorkflows.Request request,
            Project project,
            Branch branch,
            Endpoint endpoint,
            Operation operation,
            LiveState live,
            String password) {
        byte[] sealed = passwords.seal(request.roleName(), password);
        return catalog.changeReturning(
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
                            connection, branch.id(), request.databaseName(), request.roleName(), branch.createdAt());
                    operations.finish(connection, operation);
                    return BranchContents.read(passwords, connection, branch.id());
                },
                image -> {
                    image.put(project);
                    image.putRoles(branch.id(), live.roles());
                    image.put(branch);
                    image.put(endpoint);
                });
    }
}
