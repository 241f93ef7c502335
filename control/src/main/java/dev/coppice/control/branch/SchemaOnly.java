package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.DataRemoval;
import dev.coppice.storage.BranchPoint;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.TimelineImport;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * Makes a timeline that has the tables of a point and none of its rows. A compute on a hidden timeline at the point truncates
 * everything and shuts down; what is left, the system catalogs above all, becomes a root timeline of its own. So nothing of
 * the parent, its WAL or the truncated files can be read through it ({@code docs/decisions/027}).
 */
final class SchemaOnly {
    private static final int FIRST_VERSION_WITH_EVENT_TRIGGERS_SETTING = 17;

    private final Workshop shop;

    SchemaOnly(Workshop shop) {
        this.shop = shop;
    }

    void make(Branch branch, TimelineId id, BranchPoint point) {
        HiddenTimeline hidden = new HiddenTimeline(
                shop.ids().branch(),
                branch.projectId(),
                HiddenTimeline.Kind.MOMENT,
                shop.ids().endpoint(),
                shop.now());
        shop.hidden().keep(hidden);
        try {
            TimelineId emptied = new TimelineId(hidden.timelineId());
            shop.createTimeline(emptied, point, shop.project(branch.projectId()).retention());
            DataRemoval.Remains remains = empty(emptied, String.valueOf(hidden.endpointId()));
            Timeline timeline = shop.pages().createRoot(id);
            timeline.importTimeline(
                    shop.pages().timeline(emptied), new TimelineImport.Selection(remains::contains, remains.empty()));
            shop.pages().setRetention(id, shop.project(branch.projectId()).retention());
            shop.catalog().steps().between();
        } finally {
            shop.hidden().letGo(hidden);
        }
    }

    private DataRemoval.Remains empty(TimelineId timeline, String endpointId) {
        ComputeSettings undisturbed = undisturbed();
        Computes computes = new Computes(shop.computeService(), _ -> undisturbed, ComputeSpec.Mode.READ_WRITE);
        try {
            ComputeAddress address = computes.awake(endpointId, timeline);
            return DataRemoval.run(database -> shop.admin().open(address, database));
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        } finally {
            shop.monitor().suspend(endpointId);
        }
    }

    /** Nothing of the user's may begin to work by itself. */
    private ComputeSettings undisturbed() {
        Map<String, String> postgres = new HashMap<>(shop.computeSettings().postgres());
        postgres.put("autovacuum", "off");
        postgres.put("shared_preload_libraries", "");
        postgres.put("max_locks_per_transaction", "1024");
        if (shop.pgVersion() >= FIRST_VERSION_WITH_EVENT_TRIGGERS_SETTING) {
            postgres.put("event_triggers", "off");
        }
        return new ComputeSettings(shop.computeSettings().computeUnits(), postgres);
    }
}
