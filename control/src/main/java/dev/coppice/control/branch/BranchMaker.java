package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.Inventory;
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
import dev.coppice.control.deletion.StorageCleanup;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.endpoint.OwnerPowers;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.operation.UnfinishedCreation;
import dev.coppice.control.role.BranchContents;
import dev.coppice.control.role.Credentials;
import dev.coppice.control.role.RolePasswords;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.LiveState;
import dev.coppice.control.timeline.TimelineFactory;
import dev.coppice.storage.layout.BranchPoint;
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
public final class BranchMaker {
    private final Catalog catalog;
    private final Inventory inventory;
    private final Finder finder;
    private final TimelineFactory timelineFactory;
    private final Computes computes;
    private final OwnerPowers powers;
    private final ActivityMonitor monitor;
    private final RolePasswords passwords;
    private final OperationLog operations;
    private final StorageCleanup removal;
    private final Ids ids;

    public BranchMaker(
            Catalog catalog,
            Finder finder,
            TimelineFactory timelineFactory,
            Computes computes,
            OwnerPowers powers,
            ActivityMonitor monitor,
            RolePasswords passwords,
            OperationLog operations,
            StorageCleanup removal,
            Ids ids) {
        this.catalog = catalog;
        this.inventory = catalog.inventory();
        this.finder = finder;
        this.timelineFactory = timelineFactory;
        this.computes = computes;
        this.powers = powers;
        this.monitor = monitor;
        this.passwords = passwords;
        this.operations = operations;
        this.removal = removal;
        this.ids = ids;
    }

    /**
     * A branch to be made, as it will be in the catalog.
     *
     * @param masked the roles that are masked in it, besides those that are in the branches above it
     */
    public record Draft(Branch branch, Optional<Endpoint> endpoint, Collection<RoleMasking> masked) {
        Draft(Branch branch, Optional<Endpoint> endpoint) {
            this(branch, endpoint, List.of());
        }
    }

    /** Makes the storage of a branch. */
    public interface Storage {
        void make(TimelineId timeline);
    }

    /** Gives a branch the passwords that are stored where its data comes from, in the caller's transaction. */
    public interface Passwords {
        void store(Connection connection, Branch branch) throws SQLException;
    }

    /** The endpoint of a branch that is being made. */
    public Endpoint endpoint(Branch branch, int suspendTimeoutSeconds, EndpointSettings settings, boolean awake) {
        return new Endpoint(
                ids.endpoint(),
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
        Map<String, LoginRole> roles = inventory.roles(parent.id());
        timelineFactory.create(draft.branch().timeline(), point, retention(draft));
        try {
            BranchContents contents = publish(draft, roles, connection -> {
                OperationRows.insert(connection, operation);
                return BranchContents.inherit(passwords, connection, parent, draft.branch(), roles);
            });
            return new Made(draft.branch(), draft.endpoint(), List.of(operation), contents);
        } catch (RuntimeException e) {
            removal.removeTimeline(draft.branch().timeline(), e);
            throw named(e, draft.branch().name());
        }
    }

    /** Makes a branch, and wakes it to read the roles and databases that are in its data. */
    public Made awaken(Draft draft, Passwords inherited, Storage storage) {
        return awaken(draft, inherited, storage, false);
    }

    /** @param renewed whether its roles get passwords of their own, so that nobody who knows the parent's can log in */
    public Made awaken(Draft draft, Passwords inherited, Storage storage, boolean renewed) {
        Branch branch = draft.branch();
        TimelineId timeline = branch.timeline();
        String endpointId = draft.endpoint().map(Endpoint::id).orElseGet(() -> ids.endpoint());
        Operation operation =
                operation(draft, Operation.Status.RUNNING, new UnfinishedCreation(timeline, endpointId).text());
        operations.record(operation);
        BranchContents contents;
        try {
            storage.make(timeline);
            Credentials credentials = new Credentials(passwords);
            LiveState live = computes.run(endpointId, timeline, connection -> {
                if (renewed) {
                    credentials.renew(connection);
                }
                ComputeSql.shutOut(connection, masked(draft));
                return ComputeSql.read(connection);
            });
            powers.apply(finder.project(branch.projectId()).settings(), timeline, computes.awake(endpointId, timeline));
            contents = publish(draft, live.roles(), connection -> {
                inherited.store(connection, branch);
                RoleRows.replaceRoles(connection, branch.id(), live.roles().values(), branch.createdAt());
                RoleRows.replaceDatabases(connection, branch.id(), live.databases(), branch.createdAt());
                credentials.store(connection, branch, live.roles());
                operations.finish(connection, operation);
                return BranchContents.read(passwords, connection, branch.id());
            });
        } catch (RuntimeException e) {
            removal.undo(operation, e);
            throw named(e, branch.name());
        }
        if (draft.endpoint().isPresent()) {
            monitor.watch(endpointId);
        } else {
            monitor.release(endpointId);
        }
        return new Made(branch, draft.endpoint(), List.of(operations.finished(operation)), contents);
    }

    /** The roles that will be masked in the branch; at the point where it begins they may not have been. */
    private Set<String> masked(Draft draft) {
        Set<String> names = new HashSet<>();
        String parent = draft.branch().parentId();
        if (parent != null) {
            names.addAll(inventory.roleMaskings(parent).keySet());
        }
        draft.masked().forEach(masking -> names.add(masking.roleName()));
        return names;
    }

    public Duration retention(Draft draft) {
        return finder.project(draft.branch().projectId()).retention();
    }

    public Operation operation(Draft draft, Operation.Status status, @Nullable String detail) {
        return operations.draft(
                draft.branch().projectId(),
                draft.branch().id(),
                draft.endpoint().map(Endpoint::id).orElse(null),
                Operation.CREATE_BRANCH,
                status,
                detail);
    }

    public <T> T publish(Draft draft, Map<String, LoginRole> roles, Catalog.Work<T> more) {
        return catalog.changeReturning(
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
    public static RuntimeException named(RuntimeException e, String name) {
        return e instanceof ControlException control && control.kind() == ControlException.Kind.CONFLICT
                ? new ControlException(
                        ControlException.Kind.CONFLICT, "branch with name \"" + name + "\" already exists", control)
                : e;
    }
}
