package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.BranchState;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Endpoint;
import dev.coppice.control.catalog.LoginRole;
import dev.coppice.control.catalog.Operation;
import dev.coppice.control.catalog.OperationRows;
import dev.coppice.control.catalog.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.RoleRows;
import dev.coppice.control.catalog.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.storage.BranchPoint;
import dev.coppice.storage.Lease;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes, renames and deletes branches. */
public final class BranchWorkflows {
    static final String CREATE = "create_branch";
    static final String DELETE = "delete_timeline";

    private static final int NAME_ATTEMPTS = 5;

    private final Workshop shop;
    private final Removal removal;

    public BranchWorkflows(Workshop shop) {
        this.shop = shop;
        this.removal = new Removal(shop);
    }

    /**
     * A branch to be made.
     *
     * @param parentId absent = the project's default branch
     * @param name absent = one is made up
     * @param withEndpoint whether it gets an address and a compute
     * @param suspendTimeoutSeconds of the endpoint; 0 = the project's default
     * @param endpoint of the endpoint, too
     */
    public record Request(
            String projectId,
            @Nullable String parentId,
            @Nullable String name,
            BranchPointRequest point,
            boolean isProtected,
            boolean withEndpoint,
            int suspendTimeoutSeconds,
            EndpointSettings endpoint) {}

    /**
     * Makes a branch; it can be connected to when this returns. From the parent's head that is one call to storage and one
     * transaction; at an earlier point its compute is also woken once, because the roles of that time are in its data.
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
        requireFree(request.projectId(), name);
        if (request.point() instanceof BranchPointRequest.Head) {
            new BusyParent(shop).shortenReplay(parent);
        }
        shop.family().readLock().lock();
        try {
            try (BranchLocks.Hold _ = shop.locks().shared(parent, "branched");
                    Lease lease =
                            shop.resolver().resolve(shop.branch(request.projectId(), parent.id()), request.point())) {
                return request.point() instanceof BranchPointRequest.Head
                        ? fromHead(request, parent, name, lease.point())
                        : fromPast(request, parent, name, lease.point());
            }
        } finally {
            shop.family().readLock().unlock();
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

    private Made fromHead(Request request, Branch parent, String name, BranchPoint point) {
        Drafted draft = draft(request, parent, name, point);
        Operation operation = operation(draft, Operation.Status.FINISHED, null);
        Map<String, LoginRole> roles = shop.inventory().roles(parent.id());
        shop.createTimeline(Workshop.timeline(draft.branch()), point, retention(request.projectId()));
        try {
            BranchContents contents = publish(draft, roles, connection -> {
                OperationRows.insert(connection, operation);
                return BranchContents.inherit(shop, connection, parent, draft.branch(), roles);
            });
            return new Made(draft.branch(), draft.endpoint(), List.of(operation), contents);
        } catch (RuntimeException e) {
            removal.removeTimeline(Workshop.timeline(draft.branch()), e);
            throw named(e, name);
        }
    }

    private Made fromPast(Request request, Branch parent, String name, BranchPoint point) {
        Drafted draft = draft(request, parent, name, point);
        TimelineId timeline = Workshop.timeline(draft.branch());
        String endpointId =
                draft.endpoint().map(Endpoint::id).orElseGet(() -> shop.ids().endpoint());
        Operation operation =
                operation(draft, Operation.Status.RUNNING, new Removal.Detail(timeline, endpointId).text());
        shop.catalog().transaction(connection -> {
            OperationRows.insert(connection, operation);
            return Boolean.TRUE;
        });
        BranchContents contents;
        try {
            shop.createTimeline(timeline, point, retention(request.projectId()));
            LiveState live = shop.computes().run(endpointId, timeline, ComputeSql::read);
            contents = publish(draft, live.roles(), connection -> {
                BranchContents.inherit(shop, connection, parent, draft.branch(), live.roles());
                RoleRows.replaceDatabases(
                        connection,
                        draft.branch().id(),
                        live.databases(),
                        draft.branch().createdAt());
                OperationRows.finish(connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                return BranchContents.read(shop, connection, draft.branch().id());
            });
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            throw named(e, name);
        }
        if (draft.endpoint().isPresent()) {
            shop.monitor().watch(endpointId);
        } else {
            shop.monitor().suspend(endpointId);
        }
        return new Made(draft.branch(), draft.endpoint(), List.of(operation.finished(shop.now())), contents);
    }

    private Duration retention(String projectId) {
        return shop.project(projectId).retention();
    }

    record Drafted(Branch branch, Optional<Endpoint> endpoint) {}

    Drafted draft(Request request, Branch parent, String name, BranchPoint point) {
        Instant now = shop.now();
        String id = shop.ids().branch();
        Instant time = request.point() instanceof BranchPointRequest.AtTime(var asked) ? asked : null;
        Branch branch = new Branch(
                id,
                request.projectId(),
                parent.id(),
                point.lsn(),
                time,
                name,
                id,
                BranchState.READY,
                false,
                request.isProtected(),
                "console",
                null,
                false,
                now,
                now);
        Optional<Endpoint> endpoint = request.withEndpoint()
                ? Optional.of(new Endpoint(
                        shop.ids().endpoint(),
                        request.projectId(),
                        id,
                        Endpoint.READ_WRITE,
                        request.suspendTimeoutSeconds(),
                        false,
                        request.endpoint(),
                        !(request.point() instanceof BranchPointRequest.Head),
                        null,
                        now,
                        now))
                : Optional.empty();
        return new Drafted(branch, endpoint);
    }

    Operation operation(Drafted draft, Operation.Status status, @Nullable String detail) {
        return shop.operation(
                draft.branch().projectId(),
                draft.branch().id(),
                draft.endpoint().map(Endpoint::id).orElse(null),
                CREATE,
                status,
                detail);
    }

    <T> T publish(Drafted draft, Map<String, LoginRole> roles, Catalog.Work<T> more) {
        return shop.catalog()
                .changeReturning(
                        draft.branch().projectId(),
                        connection -> {
                            Rows.insert(connection, draft.branch());
                            if (draft.endpoint().isPresent()) {
                                Rows.insert(connection, draft.endpoint().get());
                            }
                            return more.run(connection);
                        },
                        image -> {
                            image.putRoles(draft.branch().id(), roles);
                            image.put(draft.branch());
                            draft.endpoint().ifPresent(image::put);
                        });
    }

    static RuntimeException named(RuntimeException e, String name) {
        return e instanceof ControlException control && control.kind() == ControlException.Kind.CONFLICT
                ? new ControlException(
                        ControlException.Kind.CONFLICT, "branch with name \"" + name + "\" already exists", control)
                : e;
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
            return store(branch.renamed(name, shop.now()));
        } catch (ControlException e) {
            throw named(e, name);
        }
    }

    /** Protects the branch, or no longer: a protected one cannot be deleted, reset or restored. */
    public Branch setProtected(String projectId, String branchId, boolean isProtected) {
        try (BranchLocks.Hold _ = shop.locks().exclusive(shop.branch(projectId, branchId), "changed")) {
            Branch branch = shop.branch(projectId, branchId);
            return branch.isProtected() == isProtected ? branch : store(branch.asProtected(isProtected, shop.now()));
        }
    }

    private Branch store(Branch branch) {
        shop.catalog()
                .change(branch.projectId(), connection -> Rows.update(connection, branch), image -> image.put(branch));
        return branch;
    }

    /** Makes the branch the one that is meant when none is named. */
    public Branch setDefault(String projectId, String branchId) {
        shop.family().readLock().lock();
        try {
            Branch chosen = shop.branch(projectId, branchId);
            if (chosen.isDefault()) {
                return chosen;
            }
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
        Branch chosen = shop.branch(projectId, branchId).asDefault(true, now);
        Optional<Branch> former = shop.inventory().defaultBranch(projectId).map(branch -> branch.asDefault(false, now));
        shop.catalog()
                .change(
                        projectId,
                        connection -> {
                            if (former.isPresent()) {
                                Rows.update(connection, former.get());
                            }
                            Rows.update(connection, chosen);
                        },
                        image -> {
                            image.put(chosen);
                            former.ifPresent(image::put);
                        });
        return chosen;
    }

    /**
     * Deletes the branch with its compute and storage.
     *
     * @throws ControlException UNPROCESSABLE for a default or protected branch and for the parent of others, with the reason
     */
    public Branch delete(String projectId, String branchId) {
        return new Deletion(shop, removal).delete(projectId, branchId);
    }
}
