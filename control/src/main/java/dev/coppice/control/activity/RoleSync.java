package dev.coppice.control.activity;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.sql.LiveState;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/**
 * Carries what a live compute says of its roles and databases into memory, at once, and into the catalog, when it is there.
 */
public final class RoleSync {
    private final Catalog catalog;
    private final Clock clock;

    public RoleSync(Catalog catalog, Clock clock) {
        this.catalog = catalog;
        this.clock = clock;
    }

    /** What is read from now on authenticates against these roles; nothing happens when the branch is gone. */
    public void remember(String branchId, Map<String, LoginRole> roles) {
        if (catalog.inventory().branch(branchId).isPresent()
                && !catalog.inventory().roles(branchId).equals(roles)) {
            catalog.inventory().putRoles(branchId, roles);
        }
    }

    /**
     * Stores roles and databases.
     *
     * @throws dev.coppice.control.error.ControlException when the catalog is away; memory is up to date all the same
     */
    public void store(Branch branch, LiveState live) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
        remember(branch.id(), live.roles());
        catalog.change(
                branch.projectId(),
                connection -> {
                    RoleRows.replaceRoles(connection, branch.id(), live.roles().values(), now);
                    RoleRows.replaceDatabases(connection, branch.id(), live.databases(), now);
                },
                image -> {});
    }
}
