package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.id.Ids;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.DataRemoval;
import dev.coppice.control.timeline.HiddenTimelines;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.importing.TimelineImport;
import dev.coppice.storage.layout.BranchPoint;
import java.sql.SQLException;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/**
 * Makes a timeline that has the tables of a point and none of its rows. A compute on a hidden timeline at the point truncates
 * everything and shuts down; what is left, the system catalogs above all, becomes a root timeline of its own. So nothing of
 * the parent, its WAL or the truncated files can be read through it ({@code docs/decisions/027}).
 */
public final class SchemaOnly {
    private static final int FIRST_VERSION_WITH_EVENT_TRIGGERS_SETTING = 17;

    private final Finder finder;
    private final PageService pages;
    private final TimelineFactory timelineFactory;
    private final HiddenTimelines hidden;
    private final ComputeService computeService;
    private final ComputeSettings computeSettings;
    private final AdminConnection admin;
    private final ActivityMonitor monitor;
    private final Ids ids;
    private final Clock clock;

    public SchemaOnly(
            Finder finder,
            PageService pages,
            TimelineFactory timelineFactory,
            HiddenTimelines hidden,
            ComputeService computeService,
            ComputeSettings computeSettings,
            AdminConnection admin,
            ActivityMonitor monitor,
            Ids ids,
            Clock clock) {
        this.finder = finder;
        this.pages = pages;
        this.timelineFactory = timelineFactory;
        this.hidden = hidden;
        this.computeService = computeService;
        this.computeSettings = computeSettings;
        this.admin = admin;
        this.monitor = monitor;
        this.ids = ids;
        this.clock = clock;
    }

    void make(Branch branch, TimelineId id, BranchPoint point) {
        HiddenTimeline place = new HiddenTimeline(
                ids.branch(), branch.projectId(), HiddenTimeline.Kind.MOMENT, ids.endpoint(), clock.instant());
        hidden.keep(place);
        try {
            TimelineId emptied = new TimelineId(place.timelineId());
            timelineFactory.create(
                    emptied, point, finder.project(branch.projectId()).retention());
            DataRemoval.Remains remains = empty(emptied, String.valueOf(place.endpointId()));
            Timeline timeline = pages.createRoot(id);
            timeline.importTimeline(
                    pages.timeline(emptied), new TimelineImport.Selection(remains::contains, remains.empty()));
            pages.setRetention(id, finder.project(branch.projectId()).retention());
            timelineFactory.stepDone();
        } finally {
            hidden.letGo(place);
        }
    }

    private DataRemoval.Remains empty(TimelineId timeline, String endpointId) {
        ComputeSettings undisturbed = undisturbed();
        Computes own = new Computes(computeService, _ -> undisturbed, ComputeSpec.Mode.READ_WRITE);
        try {
            ComputeAddress address = own.awake(endpointId, timeline);
            return DataRemoval.run(database -> admin.open(address, database));
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        } finally {
            monitor.suspend(endpointId);
        }
    }

    /** Nothing of the user's may begin to work by itself. */
    private ComputeSettings undisturbed() {
        Map<String, String> postgres = new HashMap<>(computeSettings.postgres());
        postgres.put("autovacuum", "off");
        postgres.put("shared_preload_libraries", "");
        postgres.put("max_locks_per_transaction", "1024");
        if (computeService.postgresVersion() >= FIRST_VERSION_WITH_EVENT_TRIGGERS_SETTING) {
            postgres.put("event_triggers", "off");
        }
        return new ComputeSettings(computeSettings.computeUnits(), postgres);
    }
}
