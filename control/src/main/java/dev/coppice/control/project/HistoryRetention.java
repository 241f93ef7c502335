package dev.coppice.control.project;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.storage.PageService;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/** Tells storage how much history the timelines of each project keep; storage forgets it at every restart. */
public final class HistoryRetention {
    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final PageService pages;
    private final HiddenTimelines hidden;
    private final BranchLocks locks;
    private final Clock clock;

    public HistoryRetention(
            Catalog catalog, Finder finder, PageService pages, HiddenTimelines hidden, BranchLocks locks, Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.pages = pages;
        this.hidden = hidden;
        this.locks = locks;
        this.clock = clock;
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
        locks.family().writeLock().lock();
        try {
            var _ = finder.project(projectId);
            Project changed = catalog.changeProject(projectId, project -> {
                Finder.refuseDeleted(project);
                return project.withRetention(seconds, clock.instant());
            });
            apply(Map.of(projectId, changed));
            return changed;
        } finally {
            locks.family().writeLock().unlock();
        }
    }

    public void applyAll() {
        Map<String, Project> projects = new HashMap<>();
        inventory.projects().forEach(project -> projects.put(project.id(), project));
        inventory.deletedProjects().forEach(project -> projects.put(project.id(), project));
        apply(projects);
    }

    private void apply(Map<String, Project> projects) {
        inventory.branches().forEach(branch -> apply(projects.get(branch.projectId()), branch.timelineId()));
        hidden.all().forEach(hidden -> apply(projects.get(hidden.projectId()), hidden.timelineId()));
    }

    private void apply(@org.jspecify.annotations.Nullable Project project, String timelineId) {
        TimelineId id = new TimelineId(timelineId);
        if (project != null && pages.exists(id)) {
            pages.setRetention(id, project.retention());
        }
    }
}
