package dev.coppice.control.branch;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.deletion.BranchDeletion;
import dev.coppice.control.deletion.Expiry;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.EndpointWorkflows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.id.NameRules;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.control.timeline.BranchPoints;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.layout.BranchPoint;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes, renames and deletes branches. */
public final class BranchWorkflows {
    private static final int NAME_ATTEMPTS = 5;

    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final TimelineFactory timelineFactory;
    private final BranchPoints points;
    private final BranchLocks locks;
    private final BranchDeletion deletion;
    private final Expiry expiry;
    private final BranchMaker maker;
    private final SchemaOnly schemaOnly;
    private final Ids ids;
    private final Clock clock;

    public BranchWorkflows(
            Catalog catalog,
            Finder finder,
            TimelineFactory timelineFactory,
            BranchPoints points,
            BranchLocks locks,
            BranchDeletion deletion,
            Expiry expiry,
            BranchMaker maker,
            SchemaOnly schemaOnly,
            Ids ids,
            Clock clock) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.timelineFactory = timelineFactory;
        this.points = points;
        this.locks = locks;
        this.deletion = deletion;
        this.expiry = expiry;
        this.maker = maker;
        this.schemaOnly = schemaOnly;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * A branch to be made.
     *
     * @param parentId absent = the project's default branch
     * @param name absent = one is made up
     * @param withEndpoint whether it gets an address and a compute
     * @param suspendTimeoutSeconds of the endpoint; 0 = the project's default
     * @param endpoint of the endpoint, too
     * @param initSource {@link BranchLife#PARENT_DATA}, or {@link BranchLife#SCHEMA_ONLY}: a root branch with the parent's
     *     tables and none of its rows
     * @param expiresAt when it is deleted by itself; absent = never
     */
    public record Request(
            String projectId,
            @Nullable String parentId,
            @Nullable String name,
            BranchPointRequest point,
            boolean isProtected,
            boolean withEndpoint,
            int suspendTimeoutSeconds,
            EndpointSettings endpoint,
            String initSource,
            @Nullable Instant expiresAt) {
        /** A branch with its parent's data that does not expire. */
        public Request(
                String projectId,
                @Nullable String parentId,
                @Nullable String name,
                BranchPointRequest point,
                boolean isProtected,
                boolean withEndpoint,
                int suspendTimeoutSeconds) {
            this(
                    projectId,
                    parentId,
                    name,
                    point,
                    isProtected,
                    withEndpoint,
                    suspendTimeoutSeconds,
                    EndpointSettings.DEFAULTS,
                    BranchLife.PARENT_DATA,
                    null);
        }

        boolean isSchemaOnly() {
            return initSource.equals(BranchLife.SCHEMA_ONLY);
        }
    }

    /**
     * Makes a branch; it can be connected to when this returns. From the parent's head that is one call to storage and one
     * transaction; at an earlier point its compute is also woken once, because the roles of that time are in its data, and
     * so is that of a protected branch's child, whose roles get new passwords.
     *
     * @throws ControlException NOT_FOUND for the project or parent, CONFLICT for the name, UNPROCESSABLE for a point outside
     *     the parent's history
     */
    public Made create(Request request) {
        var _ = finder.project(request.projectId());
        Branch parent = parent(request);
        String name = request.name() == null ? freeName(request.projectId()) : NameRules.branch(request.name());
        EndpointWorkflows.checkSuspendTimeout(request.suspendTimeoutSeconds());
        ComputeSizes.check(request.endpoint());
        check(request);
        if (!request.isSchemaOnly()) {
            Expiry.requireLasting(parent, "cannot have children");
        }
        requireFree(request.projectId(), name);
        points.prepare(parent, request.point());
        return points.use(
                request.projectId(),
                parent.id(),
                request.point(),
                "branched",
                (branch, lease) -> make(request, branch, name, lease.point()));
    }

    private void check(Request request) {
        if (!request.isSchemaOnly() && !request.initSource().equals(BranchLife.PARENT_DATA)) {
            throw ControlException.invalid(
                    "branch.init_source: must be parent-data or schema-only, not \"" + request.initSource() + "\"");
        }
        expiry.checkTime(request.expiresAt());
        if (request.isProtected() && request.expiresAt() != null) {
            throw ControlException.invalid("branch.expires_at: a protected branch cannot expire");
        }
    }

    public Branch parent(Request request) {
        if (request.parentId() != null) {
            return finder.branch(request.projectId(), request.parentId());
        }
        return inventory
                .defaultBranch(request.projectId())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.PRECONDITION, "the project has no default branch; name the parent"));
    }

    public String freeName(String projectId) {
        for (int i = 0; i < NAME_ATTEMPTS; i++) {
            String name = ids.branch();
            if (inventory.branchNamed(projectId, name).isEmpty()) {
                return name;
            }
        }
        throw new ControlException(ControlException.Kind.INTERNAL, "no free branch name was found");
    }

    public void requireFree(String projectId, String name) {
        if (inventory.branchNamed(projectId, name).isPresent()) {
            throw ControlException.conflict("branch with name \"" + name + "\" already exists");
        }
    }

    private Made make(Request request, Branch parent, String name, BranchPoint point) {
        boolean atOnce =
                request.point() instanceof BranchPointRequest.Head && !parent.isProtected() && !request.isSchemaOnly();
        BranchMaker.Draft draft = draft(request, parent, name, point, !atOnce);
        if (atOnce) {
            return maker.inherit(draft, parent, point);
        }
        BranchMaker.Passwords inherited =
                (connection, branch) -> RoleRows.inheritRoles(connection, parent.id(), branch.id(), branch.createdAt());
        BranchMaker.Storage storage = request.isSchemaOnly()
                ? timeline -> schemaOnly.make(draft.branch(), timeline, point)
                : timeline -> timelineFactory.create(timeline, point, maker.retention(draft));
        // Who can log in to a protected branch must not, by that, be able to log in to what is made from it.
        return maker.awaken(draft, inherited, storage, parent.isProtected());
    }

    /** As {@link BranchMaker}'s own, for who makes its branches another way. */
    public BranchMaker.Draft draft(Request request, Branch parent, String name, BranchPoint point) {
        if (request.isSchemaOnly()) {
            throw ControlException.invalid("branch.init_source: what has no rows has nothing to anonymize");
        }
        check(request);
        Expiry.requireLasting(parent, "cannot have children");
        return draft(request, parent, name, point, !(request.point() instanceof BranchPointRequest.Head));
    }

    private BranchMaker.Draft draft(Request request, Branch parent, String name, BranchPoint point, boolean awake) {
        Instant now = clock.instant();
        String id = ids.branch();
        boolean schemaOnly = request.isSchemaOnly();
        Instant time = request.point() instanceof BranchPointRequest.AtTime(var asked) ? asked : null;
        Branch branch = new Branch(
                id,
                request.projectId(),
                // It shares nothing with where its schema came from.
                schemaOnly ? null : parent.id(),
                schemaOnly ? null : point.lsn(),
                schemaOnly ? null : time,
                name,
                id,
                BranchState.READY,
                false,
                request.isProtected(),
                "console",
                null,
                false,
                BranchLife.ORDINARY.withSource(request.initSource()).expiringAt(request.expiresAt(), now),
                now,
                now);
        return new BranchMaker.Draft(
                branch,
                request.withEndpoint()
                        ? Optional.of(maker.endpoint(
                                branch, request.suspendTimeoutSeconds(), settings(request, parent), awake))
                        : Optional.empty());
    }

    private EndpointSettings settings(Request request, Branch parent) {
        EndpointSettings ofParent =
                inventory.endpointOfBranch(parent.id()).map(Endpoint::settings).orElse(EndpointSettings.DEFAULTS);
        return ComputeSizes.inherited(ofParent, request.endpoint());
    }

    /** Gives the branch another name; its endpoint and its children do not notice. */
    public Branch rename(String projectId, String branchId, String name) {
        NameRules.branch(name);
        try (BranchLocks.Hold _ = locks.exclusive(finder.branch(projectId, branchId), "renamed")) {
            Branch branch = finder.branch(projectId, branchId);
            if (branch.name().equals(name)) {
                return branch;
            }
            requireFree(projectId, name);
            return store(branch, current -> current.renamed(name, clock.instant()));
        } catch (ControlException e) {
            throw BranchMaker.named(e, name);
        }
    }

    /** Protects the branch, or no longer: a protected one cannot be deleted, reset or restored. */
    public Branch setProtected(String projectId, String branchId, boolean isProtected) {
        try (BranchLocks.Hold _ = locks.exclusive(finder.branch(projectId, branchId), "changed")) {
            Branch branch = finder.branch(projectId, branchId);
            if (isProtected) {
                Expiry.requireLasting(branch, "cannot be protected");
            }
            return branch.isProtected() == isProtected
                    ? branch
                    : store(branch, current -> current.asProtected(isProtected, clock.instant()));
        }
    }

    private Branch store(Branch branch, UnaryOperator<Branch> change) {
        return catalog.changeBranch(branch.projectId(), branch.id(), current -> {
            Finder.refuseGone(current);
            return change.apply(current);
        });
    }

    /** Makes the branch the one that is meant when none is named. */
    public Branch setDefault(String projectId, String branchId) {
        locks.family().readLock().lock();
        try {
            Branch chosen = finder.branch(projectId, branchId);
            if (chosen.isDefault()) {
                return chosen;
            }
            Expiry.requireLasting(chosen, "cannot be the default");
            Optional<Branch> before = inventory.defaultBranch(projectId);
            try (BranchLocks.Hold _ = locks.exclusive(chosen, "made the default");
                    BranchLocks.Hold _ = before.map(branch -> locks.exclusive(branch, "changed"))
                            .orElse(() -> {})) {
                return swapDefault(projectId, branchId);
            }
        } finally {
            locks.family().readLock().unlock();
        }
    }

    private Branch swapDefault(String projectId, String branchId) {
        Instant now = clock.instant();
        Expiry.requireLasting(finder.branch(projectId, branchId), "cannot be the default");
        Optional<Branch> former = inventory.defaultBranch(projectId);
        return catalog.changeRows(
                        projectId,
                        connection -> {
                            List<Branch> changed = new ArrayList<>();
                            if (former.isPresent()) {
                                changed.add(Rows.changeBranch(
                                        connection, former.get().id(), branch -> branch.asDefault(false, now)));
                            }
                            changed.add(Rows.changeBranch(connection, branchId, branch -> {
                                Finder.refuseGone(branch);
                                return branch.asDefault(true, now);
                            }));
                            return changed;
                        },
                        (image, changed) -> changed.reversed().forEach(image::put))
                .getLast();
    }

    /** Sets when the branch deletes itself; null = never. */
    public Branch setExpiry(String projectId, String branchId, @Nullable Instant expiresAt) {
        return expiry.set(projectId, branchId, expiresAt);
    }

    /** Deletes the branch; its data stays for the recovery window. */
    public Branch delete(String projectId, String branchId) {
        return delete(projectId, branchId, false);
    }

    /**
     * Deletes the branch.
     *
     * @param forGood at once with its storage; else it can be recovered for a while
     * @throws ControlException UNPROCESSABLE for a default, root or protected branch and for the parent of others, with the
     *     reason
     */
    public Branch delete(String projectId, String branchId, boolean forGood) {
        return deletion.delete(projectId, branchId, BranchLife.BY_USER, forGood);
    }
}
