package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The roles and databases of a branch that is being restored: those of the point, but with the passwords that the branch's
 * roles have now, so that connection strings go on working.
 */
final class RestoredContents {
    private final Workshop shop;

    RestoredContents(Workshop shop) {
        this.shop = shop;
    }

    /**
     * Says what will be in the branch. Only if the catalog does not know it, or a password or a masked role's
     * being shut out must be carried over, does a compute run on the new timeline for a moment.
     *
     * @param helper the endpoint id of that compute
     */
    LiveState prepare(
            RestoreWorkflow.Request request, Branch target, Branch source, TimelineId timeline, String helper) {
        shop.resolver().freshenRoles(target);
        Map<String, LoginRole> keep = shop.inventory().roles(target.id());
        Set<String> masked = shop.inventory().roleMaskings(target.id()).keySet();
        if (request.point() instanceof BranchPointRequest.Head) {
            Map<String, LoginRole> roles = shop.inventory().roles(source.id());
            boolean shutOut = masked.stream().map(roles::get).noneMatch(role -> role != null && role.canLogin());
            if (shutOut && ComputeSql.differing(keep, roles).isEmpty()) {
                return new LiveState(roles, databases(source));
            }
        }
        try {
            return shop.computes().run(helper, timeline, connection -> {
                ComputeSql.setVerifiers(connection, ComputeSql.differing(keep, ComputeSql.roles(connection)));
                // At the point it may have been otherwise.
                ComputeSql.shutOut(connection, masked);
                return ComputeSql.read(connection);
            });
        } finally {
            // The branch's own endpoint is to run on the timeline.
            shop.monitor().suspend(helper);
            shop.computeService().forget(helper);
        }
    }

    private Map<String, String> databases(Branch branch) {
        Map<String, String> owners = new HashMap<>();
        for (Database database :
                shop.catalog().transaction(connection -> RoleRows.databases(connection, branch.id()))) {
            owners.put(database.name(), database.ownerName());
        }
        return owners;
    }
}
