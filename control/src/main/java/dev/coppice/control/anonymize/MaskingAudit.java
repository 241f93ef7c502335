package dev.coppice.control.anonymize;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeStatus;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchMasking;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.rows.HiddenTimelineRows;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.catalog.rows.TimelineMaskingRows;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.BoundaryException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares, at each start, what the catalog knows of anonymized timelines with what storage finds. Each has the fact on its own,
 * so one that was lost in a copy or changed does not go unnoticed: a timeline about which both disagree is locked.
 */
public final class MaskingAudit {
    private static final Logger log = LoggerFactory.getLogger(MaskingAudit.class);

    private final Catalog catalog;
    private final PageService pages;

    public MaskingAudit(Catalog catalog, PageService pages) {
        this.catalog = catalog;
        this.pages = pages;
    }

    /** Call it before a compute is taken over or woken: what disagrees must not be read for a moment. */
    public void run() {
        Map<String, Branch> named =
                catalog.inventory().branches().stream().collect(Collectors.toMap(Branch::timelineId, branch -> branch));
        Map<String, Boolean> known = catalog.transaction(TimelineMaskingRows::all);
        Set<String> declared = catalog.transaction(MaskingRows::all).stream()
                .map(BranchMasking::branchId)
                .collect(Collectors.toSet());
        Map<String, Boolean> fresh = new HashMap<>();
        for (TimelineId id : pages.timelines()) {
            Timeline timeline = pages.timeline(id);
            boolean found = timeline.seesThroughBoundary();
            Branch branch = named.get(id.value());
            Boolean noted = known.get(id.value());
            boolean expected = noted != null ? noted : found || (branch != null && isBelow(branch, declared));
            if (expected != found) {
                lock(timeline, branch, expected);
            }
            if (noted == null) {
                fresh.put(id.value(), expected);
            }
        }
        keep(fresh, gone(known.keySet(), named.keySet()));
    }

    /** Ends computes that were taken over and must not go on. */
    public static void endLocked(ComputeService computes, PageService pages) {
        for (ComputeStatus status : computes.list()) {
            try {
                if (pages.exists(status.timeline())) {
                    pages.timeline(status.timeline()).requireWholeBoundaries();
                }
            } catch (BoundaryException _) {
                log.error("The compute of {} is ended: its branch is locked", status.endpointId());
                var _ = computes.suspend(status.endpointId());
            }
        }
    }

    /** Whether a branch or one above it was declared to be anonymized: the rule for timelines of which nothing is noted. */
    private boolean isBelow(Branch branch, Set<String> declared) {
        Set<String> met = new HashSet<>();
        for (@Nullable Branch at = branch; at != null && met.add(at.id()); at = parent(at)) {
            if (declared.contains(at.id())) {
                return true;
            }
            if (at.life().initSource().equals(BranchLife.SCHEMA_ONLY)) {
                // It has no row of its parent's.
                return false;
            }
        }
        return false;
    }

    private @Nullable Branch parent(Branch branch) {
        String parentId = branch.parentId();
        return parentId == null ? null : catalog.inventory().branch(parentId).orElse(null);
    }

    private static void lock(Timeline timeline, @Nullable Branch branch, boolean expected) {
        String name = branch == null
                ? "timeline " + timeline.id()
                : "branch \"" + branch.name() + "\" (" + branch.id() + ", timeline " + timeline.id() + ")";
        String reason = expected
                ? name + " is locked: the catalog knows it as anonymized, and its storage would show originals. Restore"
                        + " timelines/boundaries and the timeline's timeline.json from a backup and restart the server, or"
                        + " delete the branch"
                : name
                        + " is locked: the catalog knows it as one that is not anonymized, and its storage is. Restore the"
                        + " timeline's timeline.json and the catalog from one backup and restart the server, or delete the"
                        + " branch";
        timeline.lock(reason);
        log.error("{}", reason);
    }

    private Set<String> gone(Set<String> noted, Set<String> branches) {
        Set<String> gone = new HashSet<>(noted);
        gone.removeAll(branches);
        pages.timelines().forEach(id -> gone.remove(id.value()));
        catalog.transaction(HiddenTimelineRows::all).stream()
                .map(HiddenTimeline::timelineId)
                .forEach(gone::remove);
        return gone;
    }

    private void keep(Map<String, Boolean> fresh, Set<String> gone) {
        if (fresh.isEmpty() && gone.isEmpty()) {
            return;
        }
        catalog.transaction(connection -> {
            for (Map.Entry<String, Boolean> entry : fresh.entrySet()) {
                TimelineMaskingRows.note(connection, entry.getKey(), entry.getValue());
            }
            for (String timeline : gone) {
                TimelineMaskingRows.forget(connection, timeline);
            }
            return Boolean.TRUE;
        });
    }
}
