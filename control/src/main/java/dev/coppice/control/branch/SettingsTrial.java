package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.error.ControlException;
import java.util.Map;

/**
 * Starts Postgres with parameters that the computes of a project are to have at their next start, on an empty timeline that nobody
 * else sees: whether it starts with them is only seen when it does.
 */
final class SettingsTrial {
    private final Workshop shop;

    SettingsTrial(Workshop shop) {
        this.shop = shop;
    }

    /**
     * Returns when Postgres has started with them, and is gone again.
     *
     * @throws ControlException UNPROCESSABLE when it does not start
     */
    void run(String projectId, ProjectSettings settings) {
        ComputeSettings wanted = new ComputeSizes(shop.inventory(), shop.computeSettings())
                .combined(settings, EndpointSettings.DEFAULTS);
        HiddenTimeline place = new HiddenTimeline(
                shop.ids().branch(),
                projectId,
                HiddenTimeline.Kind.MOMENT,
                shop.ids().endpoint(),
                shop.now());
        TimelineId timeline = new TimelineId(place.timelineId());
        shop.hidden().keep(place);
        try {
            shop.pages()
                    .createBranch(
                            timeline,
                            shop.pages().timeline(ProjectWorkflows.TEMPLATE).head());
            var _ = new Computes(shop.computeService(), _ -> wanted, ComputeSpec.Mode.READ_WRITE)
                    .awake(String.valueOf(place.endpointId()), timeline);
            Map<String, String> leftOut = shop.computeService().leftOut(String.valueOf(place.endpointId()));
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
            shop.hidden().letGo(place);
        }
    }
}
