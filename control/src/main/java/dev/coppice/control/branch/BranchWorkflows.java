package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.BranchState;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Endpoint;
import dev.coppice.control.catalog.LoginRole;
import dev.coppice.control.catalog.Operation;
import dev.coppice.control.catalog.OperationRows;
import dev.coppice.control.catalog.RoleRows;
import dev.coppice.control.catalog.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.storage.BranchPoint;
import dev.coppice.storage.OutsideHistoryException;
import dev.coppice.storage.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes, renames and deletes branches. */
public final class BranchWorkflows {
    static final String CREATE = "create_branch";
    static final String DELETE = "delete_timeline";

    private static final Logger log = LoggerFactory.getLogger(BranchWorkflows.class);
    private static final long FRESH_ROLES_MAX_MILLIS = 500;
    private static final int NAME_ATTEMPTS = 5;

    /** How far a client's clock may be ahead of ours. */
    private static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(1);

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
     * @param suspendTimeoutSeconds of the endpoint; 0 = the configured default
     */
    public record Request(
            String projectId,
            @Nullable String parentId,
            @Nullable String name,
            BranchPointRequest point,
            boolean isProtected,
            boolean withEndpoint,
            int suspendTimeoutSeconds) {}

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
        requireFree(request.projectId(), name);
        shop.family().readLock().lock();
        try {
            shop.branch(request.projectId(), parent.id());
            BranchPoint point = resolve(parent, request.point());
            return request.point() instanceof BranchPointRequest.Head
                    ? fromHead(request, parent, name, point)
                    : fromPast(request, parent, name, point);
        } finally {
            shop.family().readLock().unlock();
        }
    }

    private Branch parent(Request request) {
        if (request.parentId() != null) {
            return shop.branch(request.projectId(), request.parentId());
        }
        return shop.inventory()
                .defaultBranch(request.projectId())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.PRECONDITION, "the project has no default branch; name the parent"));
    }

    private String freeName(String projectId) {
        for (int i = 0; i < NAME_ATTEMPTS; i++) {
            String name = shop.ids().branch();
            if (shop.inventory().branchNamed(projectId, name).isEmpty()) {
                return name;
            }
        }
        throw new ControlException(ControlException.Kind.INTERNAL, "no free branch name was found");
    }

    private void requireFree(String projectId, String name) {
        if (shop.inventory().branchNamed(projectId, name).isPresent()) {
            throw ControlException.conflict("branch with name \"" + name + "\" already exists");
        }
    }

    private BranchPoint resolve(Branch parent, BranchPointRequest request) {
        Timeline timeline = shop.pages().timeline(Workshop.timeline(parent));
        try {
            return switch (request) {
                case BranchPointRequest.Head() -> {
                    freshenRoles(parent);
                    new BusyParent(shop).shortenReplay(parent);
                    yield timeline.head();
                }
                case BranchPointRequest.AtLsn(var lsn) -> timeline.at(lsn);
                case BranchPointRequest.AtTime(var time) -> {
                    requirePast(time);
                    yield timeline.at(time);
                }
            };
        } catch (OutsideHistoryException e) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "branch \"" + parent.name() + "\": " + e.getMessage(), e);
        }
    }

    /** The end of history, silently, is not what somebody wants who mistook a zone or a year. */
    private void requirePast(Instant time) {
        Instant now = shop.clock().instant();
        if (time.isAfter(now.plus(CLOCK_TOLERANCE))) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    time + " is in the future; the server's clock shows " + now.truncatedTo(ChronoUnit.SECONDS));
        }
    }

    /** A role made by SQL a moment ago must be able to log in to the branch; only a running parent can have one. */
    private void freshenRoles(Branch parent) {
        shop.inventory()
                .endpointOfBranch(parent.id())
                .flatMap(endpoint -> shop.monitor().freshRoles(endpoint.id(), true))
                .ifPresent(roles -> {
                    try {
                        roles.get(FRESH_ROLES_MAX_MILLIS, TimeUnit.MILLISECONDS);
                    } catch (ExecutionException | TimeoutException e) {
                        log.debug("Branching from {} with the roles last seen", parent.id(), e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private Made fromHead(Request request, Branch parent, String name, BranchPoint point) {
        Drafted draft = draft(request, parent, name, point);
        Operation operation = operation(draft, Operation.Status.FINISHED, null);
        Map<String, LoginRole> roles = shop.inventory().roles(parent.id());
        shop.pages().createBranch(Workshop.timeline(draft.branch()), point);
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
            shop.pages().createBranch(timeline, point);
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
        return new Made(draft.branch(), draft.endpoint(), List.of(finished(operation)), contents);
    }

    private record Drafted(Branch branch, Optional<Endpoint> endpoint) {}

    private Drafted draft(Request request, Branch parent, String name, BranchPoint point) {
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
                        !(request.point() instanceof BranchPointRequest.Head),
                        null,
                        now,
                        now))
                : Optional.empty();
        return new Drafted(branch, endpoint);
    }

    private Operation operation(Drafted draft, Operation.Status status, @Nullable String detail) {
        return shop.operation(
                draft.branch().projectId(),
                draft.branch().id(),
                draft.endpoint().map(Endpoint::id).orElse(null),
                CREATE,
                status,
                detail);
    }

    private Operation finished(Operation running) {
        return new Operation(
                running.id(),
                running.projectId(),
                running.branchId(),
                running.endpointId(),
                running.action(),
                Operation.Status.FINISHED,
                null,
                null,
                running.createdAt(),
                shop.now());
    }

    private <T> T publish(Drafted draft, Map<String, LoginRole> roles, Catalog.Work<T> more) {
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

    private static RuntimeException named(RuntimeException e, String name) {
        return e instanceof ControlException control && control.kind() == ControlException.Kind.CONFLICT
                ? new ControlException(
                        ControlException.Kind.CONFLICT, "branch with name \"" + name + "\" already exists", control)
                : e;
    }

    /** Gives the branch another name; its endpoint and its children do not notice. */
    public Branch rename(String projectId, String branchId, String name) {
        Branch branch = shop.branch(projectId, branchId);
        if (branch.name().equals(Names.branch(name))) {
            return branch;
        }
        requireFree(projectId, name);
        Branch renamed = branch.renamed(name, shop.now());
        try {
            shop.catalog()
                    .change(projectId, connection -> Rows.update(connection, renamed), image -> image.put(renamed));
        } catch (ControlException e) {
            throw named(e, name);
        }
        return renamed;
    }

    /**
     * Deletes the branch with its compute and storage.
     *
     * @throws ControlException UNPROCESSABLE for a default or protected branch and for the parent of others, with the reason
     */
    public Branch delete(String projectId, String branchId) {
        Branch branch;
        Operation operation;
        shop.family().writeLock().lock();
        try {
            branch = shop.branch(projectId, branchId);
            requireDeletable(branch);
            Branch deleting = branch.in(BranchState.DELETING, shop.now());
            operation = shop.operation(projectId, branchId, null, DELETE, Operation.Status.RUNNING, null);
            shop.catalog()
                    .change(
                            projectId,
                            connection -> {
                                Rows.update(connection, deleting);
                                OperationRows.insert(connection, operation);
                            },
                            image -> image.put(deleting));
        } finally {
            shop.family().writeLock().unlock();
        }
        removal.finishBranch(operation, branch);
        return branch;
    }

    private void requireDeletable(Branch branch) {
        String reason = null;
        List<Branch> children = shop.inventory().childrenOf(branch.id());
        if (branch.isDefault()) {
            reason = "it is the default branch of its project";
        } else if (branch.isProtected()) {
            reason = "it is protected";
        } else if (!children.isEmpty()) {
            reason = "it has children ("
                    + children.stream()
                            .map(Branch::name)
                            .sorted()
                            .limit(5)
                            .collect(java.util.stream.Collectors.joining(", "))
                    + (children.size() > 5 ? ", ..." : "") + "); delete them first";
        }
        if (reason != null) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "branch \"" + branch.name() + "\" cannot be deleted: " + reason);
        }
    }
}
