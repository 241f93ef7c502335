package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;
import java.util.HashMap;
import java.util.Map;

/** Tells storage how much history the timelines of each project keep; storage forgets it at every restart. */
public final class HistoryRetention {
    private final Workshop shop;

    public HistoryRetention(Workshop shop) {
        this.shop = shop;
    }

    static void check(int seconds) {
        if (seconds < 0 || seconds > Project.RETENTION_MAX_SECONDS) {
            throw ControlException.invalid("project.history_retention_seconds: must be 0 to "
                    + Project.RETENTION_MAX_SECONDS + " (30 days), not " + seconds);
        }
    }

    /** Changes a project's retention, for all its timelines. What was collected already does not come back. */
    public Project set(String projectId, int seconds) {
        check(seconds);
        // Nobody may be making a timeline that has the former retention.
        shop.family().writeLock().lock();
        try {
            var _ = shop.project(projectId);
            Project changed = shop.catalog().changeProject(projectId, project -> {
                ProjectWorkflows.refuseDeleted(project);
                return project.withRetention(seconds, shop.now());
            });
            apply(Map.of(projectId, changed));
            return changed;
        } finally {
            shop.family().writeLock().unlock();
        }
    }

    void applyAll() {
        Map<String, Project> projects = new HashMap<>();
        shop.inventory().projects().forEach(project -> projects.put(project.id(), project));
        shop.inventory().deletedProjects().forEach(project -> projects.put(project.id(), project));
        apply(projects);
    }

    private void apply(Map<String, Project> projects) {
        shop.inventory().branches().forEach(branch -> apply(projects.get(branch.projectId()), branch.timelineId()));
        shop.hidden().all().forEach(hidden -> apply(projects.get(hidden.projectId()), hidden.timelineId()));
    }

    private void apply(@org.jspecify.annotations.Nullable Project project, String timelineId) {
        TimelineId id = new TimelineId(timelineId);
        if (project != null && shop.pages().exists(id)) {
            shop.pages().setRetention(id, project.retention());
        }
    }
}
