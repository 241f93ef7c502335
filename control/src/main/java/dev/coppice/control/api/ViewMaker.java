package dev.coppice.control.api;

import dev.coppice.common.Lsn;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.ConnectionStrings;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.branch.BranchSizes;
import dev.coppice.control.branch.Made;
import dev.coppice.control.branch.RecoveryWindow;
import dev.coppice.control.catalog.Branch;
import dev.coppice.control.catalog.BranchLife;
import dev.coppice.control.catalog.Database;
import dev.coppice.control.catalog.Endpoint;
import dev.coppice.control.catalog.Operation;
import dev.coppice.control.catalog.Project;
import dev.coppice.control.catalog.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes views of what the catalog and the computes say. */
final class ViewMaker {
    static final String REGION = "local";
    static final String PROVISIONER = "coppice";
    static final String OWNER = "coppice";
    static final String ORGANIZATION = "org-coppice-00000000";

    private final ComputeService computes;
    private final ActivityMonitor monitor;
    private final ConnectionStrings strings;
    private final BranchSizes sizes;
    private final double computeUnits;
    private final int suspendTimeoutSeconds;
    private final RecoveryWindow recovery;

    ViewMaker(
            ComputeService computes,
            ActivityMonitor monitor,
            ConnectionStrings strings,
            BranchSizes sizes,
            double computeUnits,
            int suspendTimeoutSeconds,
            RecoveryWindow recovery) {
        this.computes = computes;
        this.monitor = monitor;
        this.strings = strings;
        this.sizes = sizes;
        this.computeUnits = computeUnits;
        this.suspendTimeoutSeconds = suspendTimeoutSeconds;
        this.recovery = recovery;
    }

    Views.Project project(Project project) {
        return new Views.Project(
                project.id(),
                project.name(),
                "self-hosted",
                REGION,
                PROVISIONER,
                project.pgVersion(),
                strings.host(),
                OWNER,
                ORGANIZATION,
                new Views.EndpointSettings(computeUnits, computeUnits, suspendTimeoutSeconds),
                Map.of(),
                true,
                "console",
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                project.historyRetentionSeconds(),
                project.deletedAt(),
                Optional.ofNullable(project.deletedAt())
                        .map(recovery::projectUntil)
                        .orElse(null),
                project.createdAt(),
                project.createdAt(),
                project.updatedAt());
    }

    /** As known lately: a list of branches must not wait for each to be measured. */
    Views.Branch branch(Branch branch) {
        return branch(branch, sizes.known(branch));
    }

    /** With its size as of now. */
    Views.Branch measured(Branch branch) {
        return branch(branch, sizes.measured(branch));
    }

    private Views.@Nullable Recovery recovery(Branch branch) {
        Instant deletedAt = branch.life().deletedAt();
        return deletedAt == null
                ? null
                : new Views.Recovery(
                        deletedAt,
                        recovery.branchUntil(deletedAt),
                        BranchLife.BY_EXPIRY.equals(branch.life().deletionMethod())
                                ? BranchLife.BY_EXPIRY
                                : BranchLife.BY_USER);
    }

    private Views.Branch branch(Branch branch, @Nullable Long logicalSize) {
        Lsn parentLsn = branch.parentLsn();
        return new Views.Branch(
                branch.id(),
                branch.projectId(),
                branch.parentId(),
                parentLsn == null ? null : parentLsn.toString(),
                branch.parentTimestamp(),
                branch.name(),
                branch.state().text(),
                branch.updatedAt(),
                logicalSize,
                branch.creationSource(),
                branch.life().initSource(),
                branch.isDefault(),
                branch.isDefault(),
                branch.isProtected(),
                0,
                0,
                0,
                0,
                0,
                branch.lastResetAt(),
                branch.life().ttlSeconds(),
                branch.life().expiresAt(),
                branch.life().restoreStatus(),
                branch.life().restoredFrom(),
                branch.life().restoredAs(),
                recovery(branch),
                branch.createdAt(),
                branch.updatedAt());
    }

    Views.Endpoint endpoint(Endpoint endpoint) {
        ComputeState state = computes.state(endpoint.id());
        return new Views.Endpoint(
                endpoint.id(),
                endpoint.projectId(),
                endpoint.branchId(),
                host(endpoint),
                strings.port(),
                "localhost",
                endpoint.type(),
                currentState(state),
                pendingState(state),
                computeUnits,
                computeUnits,
                endpoint.suspendTimeoutSeconds(),
                REGION,
                PROVISIONER,
                Map.of(),
                false,
                "transaction",
                endpoint.disabled(),
                false,
                "console",
                monitor.lastActive(endpoint),
                endpoint.createdAt(),
                endpoint.updatedAt());
    }

    private static String host(Endpoint endpoint) {
        return endpoint.id() + ".localhost";
    }

    private static String currentState(ComputeState state) {
        return switch (state) {
            case IDLE, FAILED -> "idle";
            case WAKING -> "init";
            case ACTIVE, SUSPENDING -> "active";
        };
    }

    private static @Nullable String pendingState(ComputeState state) {
        return switch (state) {
            case WAKING -> "active";
            case SUSPENDING -> "idle";
            case IDLE, FAILED, ACTIVE -> null;
        };
    }

    Views.Role role(Role role, @Nullable String password) {
        return new Views.Role(
                role.branchId(), role.name(), password, role.isProtected(), role.createdAt(), role.updatedAt());
    }

    Views.Database database(Database database) {
        return new Views.Database(
                database.id(),
                database.branchId(),
                database.name(),
                database.ownerName(),
                database.createdAt(),
                database.updatedAt());
    }

    Views.Operation operation(Operation operation) {
        return new Views.Operation(
                operation.id(),
                operation.projectId(),
                operation.branchId(),
                operation.endpointId(),
                operation.action(),
                operation.status().text(),
                operation.error(),
                0,
                operation.createdAt(),
                operation.updatedAt(),
                Duration.between(operation.createdAt(), operation.updatedAt()).toMillis());
    }

    /** How to connect to a new branch; empty when it has no endpoint or nobody's password is known. */
    List<Views.ConnectionUri> connectionUris(Made made) {
        return made
                .endpoint()
                .flatMap(endpoint -> made.contents()
                        .login()
                        .map(login -> connectionUri(endpoint, login.database(), login.role(), login.password())))
                .stream()
                .toList();
    }

    Views.ConnectionUri connectionUri(Endpoint endpoint, String database, String role, String password) {
        return new Views.ConnectionUri(
                strings.of(role, password, database, endpoint.id()),
                new Views.ConnectionParameters(
                        database, password, role, host(endpoint), endpoint.id() + "-pooler.localhost", strings.port()));
    }
}
