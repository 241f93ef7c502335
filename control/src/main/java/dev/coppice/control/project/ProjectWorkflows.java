package dev.coppice.control.project;

import dev.coppice.common.TimelineId;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.deletion.ProjectDeletion;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.NameRules;
import java.time.Clock;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Makes, renames and deletes projects. */
public final class ProjectWorkflows {
    /** The timeline of the template cluster, which every project's first branch begins with. */
    public static final TimelineId TEMPLATE = new TimelineId("template");

    private final ProjectCreation creation;
    private final Catalog catalog;
    private final Finder finder;
    private final ProjectDeletion deletion;
    private final HistoryRetention retentions;
    private final SettingsTrial trial;
    private final Clock clock;

    public ProjectWorkflows(
            ProjectCreation creation,
            Catalog catalog,
            Finder finder,
            ProjectDeletion deletion,
            HistoryRetention retentions,
            SettingsTrial trial,
            Clock clock) {
        this.creation = creation;
        this.catalog = catalog;
        this.finder = finder;
        this.deletion = deletion;
        this.retentions = retentions;
        this.trial = trial;
        this.clock = clock;
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
        return creation.postgresVersion();
    }

    /** Makes a project; its branch is awake and can be connected to when this returns. */
    public MadeProject create(Request request) {
        return creation.create(request);
    }

    /** Changes how far back the project's branches can be restored, in seconds; applies at once to all of them. */
    public Project setRetention(String projectId, int seconds) {
        return retentions.set(projectId, seconds);
    }

    /**
     * Changes what the project's owner sets; computes have it from their next start.
     *
     * @param change of what is set then, which may be newer than what the caller saw; called more than once
     * @throws ControlException UNPROCESSABLE when Postgres does not start with new parameters; nothing is changed then
     */
    public Project setSettings(String projectId, UnaryOperator<ProjectSettings> change) {
        ProjectSettings now = finder.project(projectId).settings();
        ProjectSettings settings = change.apply(now);
        ComputeSizes.check(settings.endpoints());
        Map<String, String> before = now.endpoints().postgres();
        if (!settings.endpoints().postgres().equals(before)
                && !settings.endpoints().postgres().isEmpty()) {
            trial.run(projectId, settings);
        }
        return catalog.changeProject(projectId, project -> {
            Finder.refuseDeleted(project);
            return project.withSettings(change.apply(project.settings()), clock.instant());
        });
    }

    public Project rename(String projectId, String name) {
        NameRules.project(name);
        var _ = finder.project(projectId);
        return catalog.changeProject(projectId, project -> {
            Finder.refuseDeleted(project);
            return project.renamed(name, clock.instant());
        });
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
        return deletion.delete(projectId, forGood);
    }
}
