package dev.coppice.control.anonymize;

import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.activity.RoleSync;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.ephemeral.MaskedView;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.sql.ComputeSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Declares roles masked: from then on they come to a masked view of the branch only, and of every branch below it. Two things keep them from the
 * branch itself: the proxy sends them elsewhere, and in the branch's own Postgres they may not log in.
 */
public final class RoleMaskings {
    public static final int MAX_LAG_DEFAULT_SECONDS = 300;
    public static final int MAX_LAG_MAX_SECONDS = 7 * 24 * 3600;

    private static final Logger log = LoggerFactory.getLogger(RoleMaskings.class);
    private static final String CHANGED = "changed";

    /** A login that was let through a moment ago shows up among the sessions a moment later. */
    private static final int SWEEPS = 3;

    private static final long SWEEP_PAUSE_NANOS = 100_000_000;

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final ComputeService computeService;
    private final Computes computes;
    private final RoleSync roleSync;
    private final MaskedViews views;
    private final BranchLocks locks;
    private final NamedRuleSets ruleSets;
    private final Clock clock;

    public RoleMaskings(
            Catalog catalog,
            Finder finder,
            ComputeService computeService,
            Computes computes,
            RoleSync roleSync,
            MaskedViews views,
            BranchLocks locks,
            NamedRuleSets ruleSets,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.computeService = computeService;
        this.computes = computes;
        this.roleSync = roleSync;
        this.views = views;
        this.locks = locks;
        this.ruleSets = ruleSets;
        this.clock = clock;
    }

    /**
     * A masked role of a branch.
     *
     * @param branchId the branch that was asked about
     * @param masking what counts there; declared for the branch itself or one above it
     * @param state of the view that a login would come to
     * @param asOf the moment that it shows; absent unless it is open
     */
    public record Declared(
            String branchId,
            RoleMasking masking,
            State state,
            @Nullable Instant asOf,
            @Nullable Instant openedAt) {
        /** Whether it was declared for a branch above. */
        public boolean isInherited() {
            return !masking.branchId().equals(branchId);
        }
    }

    /** What a login finds. */
    public enum State {
        /** There is no view, or none that is young enough: the next login makes one. */
        NONE,
        MAKING,
        OPEN
    }

    /** The masked roles of a branch, by name. */
    public List<Declared> all(String projectId, String branchId) {
        Branch branch = finder.branch(projectId, branchId);
        return inventory.roleMaskings(branch.id()).values().stream()
                .sorted(Comparator.comparing(RoleMasking::roleName))
                .map(masking -> declared(branch, masking))
                .toList();
    }

    /** @throws ControlException NOT_FOUND for a role that is not masked */
    public Declared find(String projectId, String branchId, String role) {
        Branch branch = finder.branch(projectId, branchId);
        return inventory
                .roleMasking(branch.id(), role)
                .map(masking -> declared(branch, masking))
                .orElseThrow(() -> notMasked(branch, role));
    }

    private Declared declared(Branch branch, RoleMasking masking) {
        Optional<MaskedView> view = views.current(branch, masking);
        Optional<MaskedView.Opened> opened = view.flatMap(MaskedView::opened);
        State state = view.isEmpty() ? State.NONE : opened.isPresent() ? State.OPEN : State.MAKING;
        return new Declared(
                branch.id(),
                masking,
                state,
                opened.map(MaskedView.Opened::asOf).orElse(null),
                opened.map(MaskedView.Opened::openedAt).orElse(null));
    }

    /**
     * Declares a role masked, or changes how. Its sessions in the branch, and in those below that are awake, have ended when this returns;
     * if it fails half-way the role is masked already, and the same call completes it.
     *
     * @param ruleSet a set that the project keeps; absent = everything is masked
     * @param maxLagSeconds 1 to {@value #MAX_LAG_MAX_SECONDS}
     * @throws ControlException NOT_FOUND for the role or the set, UNPROCESSABLE for a superuser
     */
    public Declared declare(
            String projectId, String branchId, String role, @Nullable String ruleSet, int maxLagSeconds) {
        if (maxLagSeconds < 1 || maxLagSeconds > MAX_LAG_MAX_SECONDS) {
            throw ControlException.invalid("max_lag_seconds: must be 1 to " + MAX_LAG_MAX_SECONDS);
        }
        Branch named = finder.branch(projectId, branchId);
        if (ruleSet != null) {
            var _ = ruleSets.find(projectId, ruleSet);
        }
        try (BranchLocks.Hold _ = locks.shared(named, CHANGED)) {
            Branch branch = finder.branch(projectId, branchId);
            run(branch, connection -> check(connection, branch, role));
            Instant now = clock.instant();
            Instant created = Optional.ofNullable(
                            inventory.declaredRoleMaskings(branch.id()).get(role))
                    .map(RoleMasking::createdAt)
                    .orElse(now);
            RoleMasking masking = new RoleMasking(branch.id(), role, ruleSet, maxLagSeconds, created, now);
            catalog.change(
                    projectId, connection -> RoleMaskingRows.put(connection, masking), image -> image.put(masking));
            run(branch, connection -> shutOut(connection, branch, role));
            for (Branch below : below(branch)) {
                views.end(below.id());
                if (isUp(below)) {
                    run(below, connection -> shutOut(connection, below, role));
                }
            }
            views.end(branch.id());
            return declared(branch, masking);
        }
    }

    private Boolean check(Connection connection, Branch branch, String role) throws SQLException {
        boolean superuser = ComputeSql.isSuperuser(connection, role)
                .filter(_ -> !role.equals(ComputeSql.ADMIN) && !role.startsWith("pg_"))
                .orElseThrow(() -> ControlException.notFound("role \"" + role + "\" not found"));
        if (superuser) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "role \"" + role + "\" is a superuser of branch \"" + branch.name()
                            + "\" and cannot be masked: it would be shut out of what it administers; mask a role that only"
                            + " reads");
        }
        if (ComputeSql.mayCreateRoles(connection, role)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "role \"" + role
                            + "\" may create roles, and one that it makes need not be masked: take that away first"
                            + " (ALTER ROLE ... NOCREATEROLE), and look at the roles that it made");
        }
        boolean mayLogIn = Optional.ofNullable(ComputeSql.roles(connection).get(role))
                .filter(login -> login.canLogin()
                        || inventory.roleMasking(branch.id(), role).isPresent())
                .isPresent();
        if (!mayLogIn) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "role \"" + role + "\" cannot log in to branch \"" + branch.name()
                            + "\", so there is nothing to mask; mask the roles that are members of it");
        }
        return Boolean.TRUE;
    }

    private Boolean shutOut(Connection connection, Branch branch, String role) throws SQLException {
        if (ComputeSql.isSuperuser(connection, role).isEmpty()) {
            return Boolean.FALSE;
        }
        ComputeSql.setLogin(connection, role, false);
        roleSync.remember(branch.id(), ComputeSql.roles(connection));
        for (int sweep = 1; ; sweep++) {
            int ended = ComputeSql.endSessions(connection, role);
            if (ended > 0) {
                log.info("Ended {} sessions of role {} in branch {}: it is masked", ended, role, branch.name());
            }
            if (sweep == SWEEPS) {
                return Boolean.TRUE;
            }
            LockSupport.parkNanos(SWEEP_PAUSE_NANOS);
        }
    }

    /**
     * Ends a role's being masked: it can log in to the branch itself again, and to those below where nothing else masks it.
     *
     * @return what was declared; or what still masks it, declared for a branch above
     * @throws ControlException NOT_FOUND for a role that is not masked, UNPROCESSABLE for one that was declared in a branch above
     */
    public Declared end(String projectId, String branchId, String role) {
        Branch named = finder.branch(projectId, branchId);
        try (BranchLocks.Hold _ = locks.shared(named, CHANGED)) {
            Branch branch = finder.branch(projectId, branchId);
            Declared before = find(projectId, branchId, role);
            if (before.isInherited()) {
                String above = inventory
                        .branch(before.masking().branchId())
                        .map(Branch::name)
                        .orElse(before.masking().branchId());
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "role \"" + role + "\" was declared masked in branch \"" + above + "\": end it there");
            }
            boolean stillMasked = inventory.isMaskedAbove(branch.id(), role);
            if (!stillMasked) {
                // While the proxy still sends it elsewhere.
                run(branch, connection -> letIn(connection, branch, role));
            }
            catalog.change(
                    projectId,
                    connection -> RoleMaskingRows.delete(connection, branch.id(), role),
                    image -> image.removeRoleMasking(branch.id(), role));
            views.end(branch.id());
            for (Branch below : below(branch)) {
                views.end(below.id());
                LoginRole login = inventory.roles(below.id()).get(role);
                boolean shutOut = login != null
                        && !login.canLogin()
                        && inventory.roleMasking(below.id(), role).isEmpty();
                if (shutOut) {
                    letInLater(below, role);
                }
            }
            return stillMasked ? find(projectId, branchId, role) : before;
        }
    }

    private Boolean letIn(Connection connection, Branch branch, String role) throws SQLException {
        if (ComputeSql.isSuperuser(connection, role).isEmpty()) {
            return Boolean.FALSE;
        }
        ComputeSql.setLogin(connection, role, true);
        roleSync.remember(branch.id(), ComputeSql.roles(connection));
        return Boolean.TRUE;
    }

    private void letInLater(Branch below, String role) {
        try {
            run(below, connection -> letIn(connection, below, role));
        } catch (ControlException e) {
            log.warn(
                    "Role {} still cannot log in to branch {}; ALTER ROLE ... LOGIN there lets it",
                    role,
                    below.name(),
                    e);
        }
    }

    private void run(Branch branch, Computes.Work<Boolean> work) {
        var _ = computes.run(finder.endpointOf(branch).id(), branch.timeline(), work);
    }

    private boolean isUp(Branch branch) {
        return inventory
                .endpointOfBranch(branch.id())
                .map(Endpoint::id)
                .map(computeService::state)
                .filter(state -> state != ComputeState.IDLE && state != ComputeState.FAILED)
                .isPresent();
    }

    /** The branches that descend from one, those that were deleted left out. */
    private List<Branch> below(Branch branch) {
        List<Branch> all = new ArrayList<>();
        List<Branch> level = inventory.livingChildrenOf(branch.id());
        while (!level.isEmpty()) {
            all.addAll(level);
            level = level.stream()
                    .flatMap(each -> inventory.livingChildrenOf(each.id()).stream())
                    .toList();
        }
        return List.copyOf(all);
    }

    private static ControlException notMasked(Branch branch, String role) {
        return ControlException.notFound("role \"" + role + "\" is not masked in branch \"" + branch.name() + "\"");
    }
}
