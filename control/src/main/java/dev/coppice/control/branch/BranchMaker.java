package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.model.RoleMasking;
import dev.coppice.control.catalog.rows.OperationRows;
import dev.coppice.control.catalog.rows.RoleMaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.catalog.rows.Rows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.storage.BranchPoint;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes branches that were drafted: their storage, then one transaction that makes them known. A failure leaves nothing. */
final class BranchMaker {
    private final Workshop shop;
    private final Removal removal;

    BranchMaker(Workshop shop) {
        this.shop = shop;
        this.removal = new Removal(shop);
    }

    /**
     * A branch to be made, as it will be in the catalog.
     *
     * @param masked the roles that are masked in it, besides those that are in the branches above it
     */
    record Draft(Branch branch, Optional<Endpoint> endpoint, Collection<RoleMasking> masked) {
        Draft(Branch branch, Optional<Endpoint> endpoint) {
            this(branch, endpoint, List.of());
        }
    }

    /** Makes the storage of a branch. */
    interface Storage {
        void make(TimelineId timeline);
    }

    /** Gives a branch the passwords that are stored where its data comes from, in the caller's transaction. */
    interface Passwords {
        void store(Connection connection, Branch branch) throws SQLException;
    }

    /** The endpoint of a branch that is being made. */
    Endpoint endpoint(Branch branch, int suspendTimeoutSeconds, EndpointSettings settings, boolean awake) {
        return new Endpoint(
                shop.ids().endpoint(),
                branch.projectId(),
                branch.id(),
                Endpoint.READ_WRITE,
                suspendTimeoutSeconds,
                false,
                settings,
                awake,
                null,
                branch.createdAt(),
                branch.createdAt());
    }

    /** Makes a branch whose roles are its parent's present ones: one call to storage and one transaction. */
    Made inherit(Draft draft, Branch parent, BranchPoint point) {
        Operation operation = operation(draft, Operation.Status.FINISHED, null);
        Map<String, LoginRole> roles = shop.inventory().roles(parent.id());
        shop.createTimeline(Workshop.timeline(draft.branch()), point, retention(draft));
        try {
            BranchContents contents = publish(draft, roles, connection -> {
                OperationRows.insert(connection, operation);
                return BranchContents.inherit(shop, connection, parent, draft.branch(), roles);
            });
            return new Made(draft.branch(), draft.endpoint(), List.of(operation), contents);
        } catch (RuntimeException e) {
            removal.removeTimeline(Workshop.timeline(draft.branch()), e);
            throw named(e, draft.branch().name());
        }
    }

    /** Makes a branch, and wakes it to read the roles and databases that are in its data. */
    Made awaken(Draft draft, Passwords passwords, Storage storage) {
        return awaken(draft, passwords, storage, false);
    }

    /** @param renewed whether its roles get passwords of their own, so that nobody who knows the parent's can log in */
    Made awaken(Draft draft, Passwords passwords, Storage storage, boolean renewed) {
        Branch branch = draft.branch();
        TimelineId timeline = Workshop.timeline(branch);
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
            storage.make(timeline);
            Credentials credentials = new Credentials(shop);
            LiveState live = shop.computes().run(endpointId, timeline, connection -> {
                if (renewed) {
                    credentials.renew(connection);
                }
                ComputeSql.shutOut(connection, masked(draft));
                return ComputeSql.read(connection);
            });
            shop.powers()
                    .apply(
                            shop.project(branch.projectId()).settings(),
                            timeline,
                            shop.computes().awake(endpointId, timeline));
            contents = publish(draft, live.roles(), connection -> {
                passwords.store(connection, branch);
                RoleRows.replaceRoles(connection, branch.id(), live.roles().values(), branch.createdAt());
                RoleRows.replaceDatabases(connection, branch.id(), live.databases(), branch.createdAt());
                credentials.store(connection, branch, live.roles());
                OperationRows.finish(connection, operation.id(), Operation.Status.FINISHED, null, shop.now());
                return BranchContents.read(shop, connection, branch.id());
            });
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            throw named(e, branch.name());
        }
        if (draft.endpoint().isPresent()) {
            shop.monitor().watch(endpointId);
        } else {
            shop.monitor().suspend(endpointId);
            shop.computeService().forget(endpointId);
        }
        return new Made(branch, draft.endpoint(), List.of(operation.finished(shop.now())), contents);
    }

    /** The roles that will be masked in the branch; at the point where it begins they may not have been. */
    private Set<String> masked(Draft draft) {
        Set<String> names = new HashSet<>();
        String parent = draft.branch().parentId();
        if (parent != null) {
            names.addAll(shop.inventory().roleMaskings(parent).keySet());
        }
        draft.masked().forEach(masking -> names.add(masking.roleName()));
        return names;
    }

    Duration retention(Draft draft) {
        return shop.project(draft.branch().projectId()).retention();
    }

    Operation operation(Draft draft, Operation.Status status, @Nullable String detail) {
        return shop.operation(
                draft.branch().projectId(),
                draft.branch().id(),
                draft.endpoint().map(Endpoint::id).orElse(null),
                BranchWorkflows.CREATE,
                status,
                detail);
    }

    <T> T publish(Draft draft, Map<String, LoginRole> roles, Catalog.Work<T> more) {
        return shop.catalog()
                .changeReturning(
                        draft.branch().projectId(),
                        connection -> {
                            Rows.insert(connection, draft.branch());
                            if (draft.endpoint().isPresent()) {
                                Rows.insert(connection, draft.endpoint().get());
                            }
                            RoleMaskingRows.inherit(
                                    connection, draft.masked(), draft.branch().id());
                            return more.run(connection);
                        },
                        image -> {
                            image.inherit(draft.masked(), draft.branch().id());
                            image.putRoles(draft.branch().id(), roles);
                            image.put(draft.branch());
                            draft.endpoint().ifPresent(image::put);
                        });
    }

    /** What a violated constraint means here. */
    static RuntimeException named(RuntimeException e, String name) {
        return e instanceof ControlException control && control.kind() == ControlException.Kind.CONFLICT
                ? new ControlException(
                        ControlException.Kind.CONFLICT, "branch with name \"" + name + "\" already exists", control)
                : e;
    }
}
