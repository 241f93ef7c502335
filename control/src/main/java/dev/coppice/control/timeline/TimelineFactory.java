package dev.coppice.control.timeline;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.rows.TimelineMaskingRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.ChainTooLongException;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Duration;

/** Makes the timelines of branches, snapshots and restores. Thread-safe. */
public final class TimelineFactory {
    private final Catalog catalog;
    private final PageService pages;
    private final ComputeService computeService;

    public TimelineFactory(Catalog catalog, PageService pages, ComputeService computeService) {
        this.catalog = catalog;
        this.pages = pages;
        this.computeService = computeService;
    }

    /**
     * Makes a timeline that begins at a point.
     *
     * @param retention how much history it keeps, as its project's others do
     * @throws ControlException UNPROCESSABLE when the point has too many ancestors
     */
    public void create(TimelineId id, BranchPoint point, Duration retention) {
        try {
            pages.createBranch(id, point);
        } catch (ChainTooLongException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "nothing can be made from this branch: it has " + Timeline.MAX_DEPTH
                            + " ancestors, the most there may be; make it from a branch further up",
                    e);
        }
        pages.setRetention(id, retention);
        noteBoundary(id);
        computeService.detachAtFirstStart(id);
        stepDone();
    }

    /** A timeline is made, and no transaction names it yet: where tests let the process end. */
    public void stepDone() {
        catalog.steps().between();
    }

    /** Notes of a new timeline that it shows masked rows only, before anybody can come to it. */
    public void noteBoundary(TimelineId id) {
        // Ordinary ones can wait for the next start: only what hides something can lose it.
        if (pages.timeline(id).seesThroughBoundary()) {
            catalog.transaction(connection -> {
                TimelineMaskingRows.note(connection, id.value(), true);
                return Boolean.TRUE;
            });
        }
    }
}
