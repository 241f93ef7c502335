package dev.coppice.control.restore;

import dev.coppice.common.TimelineId;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.control.timeline.PointResolver;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.layout.BranchPoint;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The roles and databases of a branch that is being restored: those of the point, but with the passwords that the branch's
 * roles have now, so that connection strings go on working.
 */
public final class RestoredContents {
    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final TimelineFactory timelineFactory;
    private final PointResolver resolver;
    private final Computes computes;
    private final ActivityMonitor monitor;

    public RestoredContents(
            Catalog catalog,
            Finder finder,
            TimelineFactory timelineFactory,
            PointResolver resolver,
            Computes computes,
            ActivityMonitor monitor) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.timelineFactory = timelineFactory;
        this.resolver = resolver;
        this.computes = computes;
        this.monitor = monitor;
    }

    /**
     * Makes the timeline, and says what will be in the branch. Only if the catalog does not know it, or a password or a masked role's
     * being shut out must be carried over, does a compute run on the new timeline for a moment.
     *
     * @param helper the endpoint id of that compute
     */
    LiveState prepare(
            RestoreWorkflow.Request request,
            Branch target,
            Branch source,
            TimelineId timeline,
            BranchPoint point,
            String helper) {
        timelineFactory.create(
                timeline, point, finder.project(target.projectId()).retention());
        resolver.freshenRoles(target);
        Map<String, LoginRole> keep = inventory.roles(target.id());
        Set<String> masked = inventory.roleMaskings(target.id()).keySet();
        if (request.point() instanceof BranchPointRequest.Head) {
            Map<String, LoginRole> roles = inventory.roles(source.id());
            boolean shutOut = masked.stream().map(roles::get).noneMatch(role -> role != null && role.canLogin());
            if (shutOut && ComputeSql.differing(keep, roles).isEmpty()) {
                return new LiveState(roles, databases(source));
            }
        }
        try {
            return computes.run(helper, timeline, connection -> {
                ComputeSql.setVerifiers(connection, ComputeSql.differing(keep, ComputeSql.roles(connection)));
                // At the point it may have been otherwise.
                ComputeSql.shutOut(connection, masked);
                return ComputeSql.read(connection);
            });
        } finally {
            // The branch's own endpoint is to run on the timeline.
            monitor.release(helper);
        }
    }

    private Map<String, String> databases(Branch branch) {
        Map<String, String> owners = new HashMap<>();
        for (Database database : catalog.transaction(connection -> RoleRows.databases(connection, branch.id()))) {
            owners.put(database.name(), database.ownerName());
        }
        return owners;
    }
}
