package dev.coppice.control.project;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.storage.PageService;
import java.time.Clock;
import java.util.Map;

/**
 * Starts Postgres with parameters that the computes of a project are to have at their next start, on an empty timeline that nobody
 * else sees: whether it starts with them is only seen when it does.
 */
public final class SettingsTrial {
    private final Inventory inventory;
    private final PageService pages;
    private final HiddenTimelines hidden;
    private final ComputeService computeService;
    private final ComputeSettings computeSettings;
    private final Ids ids;
    private final Clock clock;

    public SettingsTrial(
            Inventory inventory,
            PageService pages,
            HiddenTimelines hidden,
            ComputeService computeService,
            ComputeSettings computeSettings,
            Ids ids,
            Clock clock) {
        this.inventory = inventory;
        this.pages = pages;
        this.hidden = hidden;
        this.computeService = computeService;
        this.computeSettings = computeSettings;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * Returns when Postgres has started with them, and is gone again.
     *
     * @throws ControlException UNPROCESSABLE when it does not start
     */
    void run(String projectId, ProjectSettings settings) {
        ComputeSettings wanted =
                new ComputeSizes(inventory, computeSettings).combined(settings, EndpointSettings.DEFAULTS);
        HiddenTimeline place = new HiddenTimeline(
                ids.branch(), projectId, HiddenTimeline.Kind.MOMENT, ids.endpoint(), clock.instant());
        TimelineId timeline = new TimelineId(place.timelineId());
        hidden.keep(place);
        try {
            pages.createBranch(
                    timeline, pages.timeline(ProjectWorkflows.TEMPLATE).head());
            var _ = new Computes(computeService, _ -> wanted, ComputeSpec.Mode.READ_WRITE)
                    .awake(String.valueOf(place.endpointId()), timeline);
            Map<String, String> leftOut = computeService.leftOut(String.valueOf(place.endpointId()));
            if (!leftOut.isEmpty()) {
                throw new ControlException(ControlException.Kind.UNAVAILABLE, String.join("; ", leftOut.values()));
            }
        } catch (ControlException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "project.default_endpoint_settings.pg_settings: Postgres does not start with these, so they were not"
                            + " taken: " + e.getMessage(),
                    e);
        } finally {
            hidden.letGo(place);
        }
    }
}
