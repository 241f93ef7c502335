package dev.coppice.control.api.view;

import dev.coppice.common.Lsn;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.branch.BranchConditions;
import dev.coppice.control.branch.BranchConditions.Condition;
import dev.coppice.control.branch.BranchSizes;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchLife;
import dev.coppice.control.catalog.model.Consumption.Used;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Operation;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.model.ProjectSettings.Quota;
import dev.coppice.control.catalog.model.Role;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.OwnerPowers;
import dev.coppice.control.meter.ConsumptionMeter;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Makes views of what the catalog and the computes say. */
public final class ViewMaker {
    private static final String PROVISIONER = "coppice";
    private static final String POOLER = "-pooler";

    /** Neon has no such state; a client that waits for "ready" must not go on. */
    private static final String CANNOT_START = "failed";

    private static final int POSTGRES_PORT = 5432;
    private static final long MILLIS = 1000;

    private final ComputeService computes;
    private final ActivityMonitor monitor;
    private final ConnectionStrings strings;
    private final BranchSizes sizes;
    private final ConsumptionMeter meter;
    private final ComputeSizes computeSizes;
    private final double computeUnits;
    private final int suspendTimeoutSeconds;
    private final RecoveryWindow recovery;
    private final BranchConditions conditions;
    private final OwnerPowers powers;
    private final Predicate<Branch> masked;
    private final OperationProgress progress;

    /** @param masked whether a branch sees masked values only */
    public ViewMaker(
            ComputeService computes,
            ActivityMonitor monitor,
            ConnectionStrings strings,
            BranchSizes sizes,
            ConsumptionMeter meter,
            ComputeSizes computeSizes,
            double computeUnits,
            int suspendTimeoutSeconds,
            RecoveryWindow recovery,
            BranchConditions conditions,
            OwnerPowers powers,
            Predicate<Branch> masked,
            OperationProgress progress) {
        this.computes = computes;
        this.monitor = monitor;
        this.strings = strings;
        this.sizes = sizes;
        this.meter = meter;
        this.computeSizes = computeSizes;
        this.computeUnits = computeUnits;
        this.suspendTimeoutSeconds = suspendTimeoutSeconds;
        this.recovery = recovery;
        this.conditions = conditions;
        this.powers = powers;
        this.masked = masked;
        this.progress = progress;
    }

    public Views.Project project(Project project) {
        Used used = meter.ofProject(project.id());
        long active = used.activeMillis() / MILLIS;
        long compute = used.computeMillis() / MILLIS;
        Instant month = meter.monthBegan();
        ProjectSettings settings = project.settings();
        return new Views.Project(
                project.id(),
                project.name(),
                "self-hosted",
                Account.REGION,
                PROVISIONER,
                project.pgVersion(),
                domain(),
                Account.USER,
                Account.ORGANIZATION,
                defaults(settings.endpoints()),
                settings(settings),
                true,
                "console",
                0,
                0,
                compute,
                active,
                active,
                compute,
                used.writtenBytes(),
                0,
                0,
                project.historyRetentionSeconds(),
                project.deletedAt(),
                Optional.ofNullable(project.deletedAt())
                        .map(recovery::projectUntil)
                        .orElse(null),
                month,
                month.atZone(ZoneOffset.UTC).plusMonths(1).toInstant(),
                null,
                project.createdAt(),
                project.updatedAt());
    }

    private Views.EndpointDefaults defaults(EndpointSettings settings) {
        double most = Objects.requireNonNullElse(settings.maxComputeUnits(), computeUnits);
        return new Views.EndpointDefaults(
                Objects.requireNonNullElse(settings.minComputeUnits(), most),
                most,
                settings.suspendTimeoutSeconds() == 0 ? suspendTimeoutSeconds : settings.suspendTimeoutSeconds(),
                settings.postgres());
    }

    private Views.Settings settings(ProjectSettings settings) {
        Quota quota = settings.quota();
        return new Views.Settings(
                new Views.AllowedIps(settings.allowedIps(), settings.allowedIpsOnProtectedOnly()),
                settings.logicalReplication(),
                quota.equals(Quota.NONE)
                        ? null
                        : new Views.Quota(
                                quota.activeSeconds(),
                                quota.computeSeconds(),
                                quota.writtenBytes(),
                                quota.branchBytes()),
                false,
                false,
                false,
                powers.areSuperusers(settings));
    }

    /** As known lately: a list of branches must not wait for each to be measured. */
    public Views.Branch branch(Branch branch) {
        return branch(branch, sizes.known(branch), Condition.UNKNOWN);
    }

    /** With its size as of now. */
    public Views.Branch measured(Branch branch) {
        return branch(branch, sizes.measured(branch), conditions.of(branch));
    }

    /** What of its parent's rows it has: all ({@code ordinary}), masked ones ({@code anonymized}) or none ({@code schema_only}). */
    private String kind(Branch branch) {
        if (BranchLife.SCHEMA_ONLY.equals(branch.life().initSource())) {
            return "schema_only";
        }
        return masked.test(branch) ? "anonymized" : "ordinary";
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

    private static @Nullable List<String> unlessEmpty(List<String> texts) {
        return texts.isEmpty() ? null : texts;
    }

    private Views.Branch branch(Branch branch, @Nullable Long logicalSize, Condition condition) {
        Used used = meter.ofBranch(branch.projectId(), branch.id());
        Lsn parentLsn = branch.parentLsn();
        return new Views.Branch(
                branch.id(),
                branch.projectId(),
                branch.parentId(),
                parentLsn == null ? null : parentLsn.toString(),
                branch.parentTimestamp(),
                branch.name(),
                condition.startError().isEmpty() ? branch.state().text() : CANNOT_START,
                branch.updatedAt(),
                logicalSize,
                branch.creationSource(),
                branch.life().initSource(),
                branch.isDefault(),
                branch.isDefault(),
                branch.isProtected(),
                used.computeMillis() / MILLIS,
                used.activeMillis() / MILLIS,
                used.computeMillis() / MILLIS,
                used.writtenBytes(),
                0,
                branch.lastResetAt(),
                branch.life().ttlSeconds(),
                branch.life().expiresAt(),
                branch.life().restoreStatus(),
                branch.life().restoredFrom(),
                branch.life().restoredAs(),
                recovery(branch),
                unlessEmpty(condition.switchedOff()),
                unlessEmpty(condition.settingsLeftOut()),
                condition.startError().orElse(null),
                kind(branch),
                branch.createdAt(),
                branch.updatedAt());
    }

    public Views.Endpoint endpoint(Endpoint endpoint) {
        ComputeState state = computes.state(endpoint.id());
        double most = computeSizes.of(endpoint.id()).computeUnits();
        Double least = endpoint.settings().minComputeUnits();
        return new Views.Endpoint(
                endpoint.id(),
                endpoint.settings().name(),
                endpoint.projectId(),
                endpoint.branchId(),
                host(endpoint) + port(),
                strings.port(),
                domain(),
                endpoint.type(),
                currentState(state),
                pendingState(state),
                least == null ? most : Math.min(least, most),
                most,
                endpoint.suspendTimeoutSeconds(),
                Account.REGION,
                PROVISIONER,
                new Views.EndpointParameters(endpoint.settings().postgres()),
                false,
                "transaction",
                endpoint.disabled(),
                false,
                "console",
                monitor.lastActive(endpoint),
                slowed(endpoint),
                endpoint.createdAt(),
                endpoint.updatedAt());
    }

    private @Nullable Integer slowed(Endpoint endpoint) {
        int delay = computes.writeDelayMicroseconds(endpoint.id());
        return delay == 0 ? null : delay;
    }

    private String host(Endpoint endpoint) {
        return endpoint.id() + '.' + domain();
    }

    /** An endpoint's name is a label under the advertised host, which must have a wildcard entry in DNS; addresses have none. */
    private String domain() {
        String host = strings.host();
        boolean isAddress = host.indexOf(':') >= 0 || host.matches("[0-9.]+");
        return isAddress ? "localhost" : host;
    }

    /** Neon's clients make connection strings of the host alone, so another port than Postgres's must be in it. */
    private String port() {
        return strings.port() == POSTGRES_PORT ? "" : ":" + strings.port();
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

    public Views.Role role(Role role, @Nullable String password) {
        return new Views.Role(
                role.branchId(), role.name(), password, role.isProtected(), role.createdAt(), role.updatedAt());
    }

    public Views.Database database(Database database) {
        return new Views.Database(
                database.id(),
                database.branchId(),
                database.name(),
                database.ownerName(),
                database.createdAt(),
                database.updatedAt());
    }

    public Views.Operation operation(Operation operation) {
        return new Views.Operation(
                operation.id(),
                operation.projectId(),
                operation.branchId(),
                operation.endpointId(),
                action(operation.action()),
                operation.status().text(),
                operation.error(),
                0,
                operation.createdAt(),
                operation.updatedAt(),
                Duration.between(operation.createdAt(), operation.updatedAt()).toMillis(),
                progress.of(operation).orElse(null));
    }

    /** Neon's name for it: clients check against a list. */
    private static String action(String action) {
        return action.equals("delete_project") ? "delete_timeline" : action;
    }

    /** How to connect to a new branch; empty when it has no endpoint or nobody's password is known. */
    public List<Views.ConnectionUri> connectionUris(Made made) {
        return made
                .endpoint()
                .flatMap(endpoint -> made.contents()
                        .login()
                        .map(login -> connectionUri(endpoint, login.database(), login.role(), login.password(), false)))
                .stream()
                .toList();
    }

    public Views.ConnectionUri connectionUri(
            Endpoint endpoint, String database, String role, String password, boolean pooled) {
        return new Views.ConnectionUri(
                strings.of(role, password, database, pooled ? endpoint.id() + POOLER : endpoint.id()),
                new Views.ConnectionParameters(
                        database,
                        password,
                        role,
                        host(endpoint),
                        endpoint.id() + POOLER + '.' + domain(),
                        strings.port()));
    }
}
