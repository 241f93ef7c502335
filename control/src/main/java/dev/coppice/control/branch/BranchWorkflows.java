package dev.coppice.control.branch;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.BranchPoint;
import dev.coppice.storage.Lease;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes, renames and deletes branches. */
public final class BranchWorkflows {
    static final String CREATE = "create_branch";
    static final String DELETE = "delete_timeline";

    private static final int NAME_ATTEMPTS = 5;

    private final Workshop shop;

    public BranchWorkflows(Workshop shop) {
        this.shop = shop;
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
        shop.project(request.projectId());
        Branch parent = parent(request);
        String name = request.name() == null ? freeName(request.projectId()) : Names.branch(request.name());
        EndpointWorkflows.checkSuspendTimeout(request.suspendTimeoutSeconds());
        ComputeSizes.check(request.endpoint());
        check(request);
        if (!request.isSchemaOnly()) {
            Expiry.requireLasting(parent, "cannot have children");
        }
        requireFree(request.projectId(), name);
        if (request.point() instanceof BranchPointRequest.Head) {
            new BusyParent(shop).shortenReplay(parent);
        }
        shop.family().readLock().lock();
        try {
            try (BranchLocks.Hold _ = shop.locks().shared(parent, "branched");
                    Lease lease =
                            shop.resolver().resolve(shop.branch(request.projectId(), parent.id()), request.point())) {
                return make(request, shop.branch(request.projectId(), parent.id()), name, lease.point());
            }
        } finally {
            shop.family().readLock().unlock();
        }
    }

    private void check(Request request) {
        if (!request.isSchemaOnly() && !request.initSource().equals(BranchLife.PARENT_DATA)) {
            throw ControlException.invalid(
                    "branch.init_source: must be parent-data or schema-only, not \"" + request.initSource() + "\"");
        }
        new Expiry(shop).checkTime(request.expiresAt());
        if (request.isProtected() && request.expiresAt() != null) {
            throw ControlException.invalid("branch.expires_at: a protected branch cannot expire");
        }
    }

    Branch parent(Request request) {
        if (request.parentId() != null) {
            return shop.branch(request.projectId(), request.parentId());
        }
        return shop.inventory()
                .defaultBranch(request.projectId())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.PRECONDITION, "the project has no default branch; name the parent"));
    }

    String freeName(String projectId) {
        for (int i = 0; i < NAME_ATTEMPTS; i++) {
            String name = shop.ids().branch();
            if (shop.inventory().branchNamed(projectId, name).isEmpty()) {
                return name;
            }
        }
        throw new ControlException(ControlException.Kind.INTERNAL, "no free branch name was found");
    }

    void requireFree(String projectId, String name) {
        if (shop.inventory().branchNamed(projectId, name).isPresent()) {
            throw ControlException.conflict("branch with name \"" + name + "\" already exists");
        }
    }

    private Made make(Request request, Branch parent, String name, BranchPoint point) {
        BranchMaker maker = new BranchMaker(shop);
        boolean atOnce =
                request.point() instanceof BranchPointRequest.Head && !parent.isProtected() && !request.isSchemaOnly();
        BranchMaker.Draft draft = draft(request, parent, name, point, maker, !atOnce);
        if (atOnce) {
            return maker.inherit(draft, parent, point);
        }
        BranchMaker.Passwords passwords =
                (connection, branch) -> RoleRows.inheritRoles(connection, parent.id(), branch.id(), branch.createdAt());
        BranchMaker.Storage storage = request.isSchemaOnly()
                ? timeline -> new SchemaOnly(shop).make(draft.branch(), timeline, point)
                : timeline -> shop.createTimeline(timeline, point, maker.retention(draft));
        // Who can log in to a protected branch must not, by that, be able to log in to what is made from it.
        return maker.awaken(draft, passwords, storage, parent.isProtected());
    }

    /** As {@link BranchMaker}'s own, for who makes its branches another way. */
    BranchMaker.Draft draft(Request request, Branch parent, String name, BranchPoint point) {
        if (request.isSchemaOnly()) {
            throw ControlException.invalid("branch.init_source: what has no rows has nothing to anonymize");
        }
        check(request);
        Expiry.requireLasting(parent, "cannot have children");
        return draft(
                request,
                parent,
                name,
                point,
                new BranchMaker(shop),
                !(request.point() instanceof BranchPointRequest.Head));
    }

    private BranchMaker.Draft draft(
            Request request, Branch parent, String name, BranchPoint point, BranchMaker maker, boolean awake) {
        Instant now = shop.now();
        String id = shop.ids().branch();
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
        EndpointSettings ofParent = shop.inventory()
                .endpointOfBranch(parent.id())
                .map(Endpoint::settings)
                .orElse(EndpointSettings.DEFAULTS);
        return ComputeSizes.inherited(ofParent, request.endpoint());
    }

    /** Gives the branch another name; its endpoint and its children do not notice. */
    public Branch rename(String projectId, String branchId, String name) {
        Names.branch(name);
        try (BranchLocks.Hold _ = shop.locks().exclusive(shop.branch(projectId, branchId), "renamed")) {
            Branch branch = shop.branch(projectId, branchId);
            if (branch.name().equals(name)) {
                return branch;
            }
            requireFree(projectId, name);
            return store(branch, current -> current.renamed(name, shop.now()));
        } catch (ControlException e) {
            throw BranchMaker.named(e, name);
        }
    }

    /** Protects the branch, or no longer: a protected one cannot be deleted, reset or restored. */
    public Branch setProtected(String projectId, String branchId, boolean isProtected) {
        try (BranchLocks.Hold _ = shop.locks().exclusive(shop.branch(projectId, branchId), "changed")) {
            Branch branch = shop.branch(projectId, branchId);
            if (isProtected) {
                Expiry.requireLasting(branch, "cannot be protected");
            }
            return branch.isProtected() == isProtected
                    ? branch
                    : store(branch, current -> current.asProtected(isProtected, shop.now()));
        }
    }

    private Branch store(Branch branch, UnaryOperator<Branch> change) {
        return shop.catalog().changeBranch(branch.projectId(), branch.id(), current -> {
            refuseGone(current);
            return change.apply(current);
        });
    }

    /** It may have been deleted since the request was looked at, with its project. */
    static void refuseGone(Branch branch) {
        if (branch.isGone()) {
            throw ControlException.notFound("branch \"" + branch.id() + "\" not found");
        }
    }

    /** Makes the branch the one that is meant when none is named. */
    public Branch setDefault(String projectId, String branchId) {
        shop.family().readLock().lock();
        try {
            Branch chosen = shop.branch(projectId, branchId);
            if (chosen.isDefault()) {
                return chosen;
            }
            Expiry.requireLasting(chosen, "cannot be the default");
            Optional<Branch> before = shop.inventory().defaultBranch(projectId);
            try (BranchLocks.Hold _ = shop.locks().exclusive(chosen, "made the default");
                    BranchLocks.Hold _ = before.map(branch -> shop.locks().exclusive(branch, "changed"))
                            .orElse(() -> {})) {
                return swapDefault(projectId, branchId);
            }
        } finally {
            shop.family().readLock().unlock();
        }
    }

    private Branch swapDefault(String projectId, String branchId) {
        Instant now = shop.now();
        Expiry.requireLasting(shop.branch(projectId, branchId), "cannot be the default");
        Optional<Branch> former = shop.inventory().defaultBranch(projectId);
        return shop.catalog()
                .changeRows(
                        projectId,
                        connection -> {
                            List<Branch> changed = new ArrayList<>();
                            if (former.isPresent()) {
                                changed.add(Rows.changeBranch(
                                        connection, former.get().id(), branch -> branch.asDefault(false, now)));
                            }
                            changed.add(Rows.changeBranch(connection, branchId, branch -> {
                                refuseGone(branch);
                                return branch.asDefault(true, now);
                            }));
                            return changed;
                        },
                        (image, changed) -> changed.reversed().forEach(image::put))
                .getLast();
    }

    /** Sets when the branch deletes itself; null = never. */
    public Branch setExpiry(String projectId, String branchId, @Nullable Instant expiresAt) {
        return new Expiry(shop).set(projectId, branchId, expiresAt);
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
        return new Deletion(shop, new Removal(shop)).delete(projectId, branchId, BranchLife.BY_USER, forGood);
    }
}
