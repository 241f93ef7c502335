package dev.coppice.control;

import dev.coppice.common.LogText;
import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.anonymize.MaskedLogin;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.meter.Quotas;
import dev.coppice.control.operation.WakeGate;
import dev.coppice.control.secret.ScramVerifier;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.timeline.BranchPointRequest;
import dev.coppice.storage.fault.BoundaryException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds, authenticates and wakes endpoints for a proxy. Everything is answered from memory and no method blocks; only {@link
 * #verifier} asks a compute that runs anyway, because a role may have been changed in it by SQL a moment ago.
 */
public final class Routing {
    private static final Logger log = LoggerFactory.getLogger(Routing.class);
    private static final long FRESH_ROLES_MAX_MILLIS = 1_000;

    /** A role that is not known may have been made by SQL a moment ago: worth more patience than a known one. */
    private static final long UNKNOWN_ROLE_MAX_MILLIS = 8_000;

    private static final String CANNOT_CONNECT_NOW = "57P03";
    private static final String UNKNOWN_DATABASE = "3D000";
    private static final String INVALID_PARAMETER_VALUE = "22023";
    private static final String TOO_MANY_CONNECTIONS = "53300";
    private static final String CONFIGURATION_LIMIT_EXCEEDED = "53400";
    private static final String DISK_FULL = "53100";
    private static final String FEATURE_NOT_SUPPORTED = "0A000";
    private static final String NOT_IN_PREREQUISITE_STATE = "55000";

    private static final int MAX_WARNED = 1_000;

    /** Branches and roles whose kind of password was in the log. */
    private final Set<String> warned = ConcurrentHashMap.newKeySet();

    /** Below the proxy's 60 s. */
    private static final int PATIENCE_SECONDS = 50;

    private final Inventory inventory;
    private final ComputeService computes;
    private final ComputeSizes sizes;
    private final Quotas quotas;
    private final ActivityMonitor monitor;
    private final WakeGate gate;
    private final TimeTravel travel;
    private final MaskedLogin masked;

    Routing(
            Inventory inventory,
            ComputeService computes,
            ComputeSizes sizes,
            Quotas quotas,
            ActivityMonitor monitor,
            WakeGate gate,
            TimeTravel travel,
            MaskedLogin masked) {
        this.inventory = inventory;
        this.computes = computes;
        this.sizes = sizes;
        this.quotas = quotas;
        this.monitor = monitor;
        this.gate = gate;
        this.travel = travel;
        this.masked = masked;
    }

    /** An endpoint that a client can be sent to. */
    public record Route(String endpointId, String branchName, String projectId) {}

    public Optional<Route> byEndpointId(String endpointId) {
        return inventory.endpoint(endpointId).flatMap(this::route);
    }

    /** From where clients may log in to the endpoint's branch: addresses, ranges, blocks; none = from everywhere. */
    public List<String> allowedAddresses(String endpointId) {
        return inventory
                .endpoint(endpointId)
                .flatMap(endpoint -> inventory
                        .project(endpoint.projectId())
                        .map(Project::settings)
                        .filter(settings -> !settings.allowedIpsOnProtectedOnly()
                                || inventory
                                        .branch(endpoint.branchId())
                                        .map(Branch::isProtected)
                                        .orElse(true)))
                .map(ProjectSettings::allowedIps)
                .orElse(List.of());
    }

    /** The endpoints of the branches with this name, one per project at most, or of the branch with this id. */
    public List<Route> byBranchName(String nameOrId) {
        List<Branch> named = inventory.branchesNamed(nameOrId);
        Stream<Branch> branches = named.isEmpty() ? inventory.branch(nameOrId).stream() : named.stream();
        return routes(branches);
    }

    /** The endpoints of the default branches of all projects. */
    public List<Route> defaults() {
        return routes(inventory.projects().stream()
                .map(Project::id)
                .map(inventory::defaultBranch)
                .flatMap(Optional::stream));
    }

    /**
     * The SCRAM verifier of a role, {@code SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey}; empty when the role is unknown,
     * may not log in, has no such password, or is Coppice's own. Wakes nothing. The stage never fails. What is answered from
     * memory, that there is no such endpoint above all, takes as long as asking a compute, so that the time tells nothing.
     */
    public CompletionStage<Optional<String>> verifier(String endpointId, String role) {
        Optional<Endpoint> endpoint = inventory.endpoint(endpointId);
        if (endpoint.isEmpty() || role.equals(ComputeSql.ADMIN)) {
            return asLongAsAsking(Optional.empty());
        }
        String branchId = endpoint.get().branchId();
        boolean known = inventory.roles(branchId).containsKey(role);
        return monitor.freshRoles(endpointId, !known)
                .map(live -> live.copy()
                        .orTimeout(known ? FRESH_ROLES_MAX_MILLIS : UNKNOWN_ROLE_MAX_MILLIS, TimeUnit.MILLISECONDS)
                        .exceptionally(_ -> inventory.roles(branchId))
                        .thenApply(roles -> verifier(branchId, roles, role)))
                .orElseGet(() -> asLongAsAsking(verifier(branchId, inventory.roles(branchId), role)));
    }

    /** Asks another compute that runs, if there is one, and does not look at its answer. */
    private CompletableFuture<Optional<String>> asLongAsAsking(Optional<String> answer) {
        return computes.list().stream()
                .filter(compute -> compute.state() == ComputeState.ACTIVE)
                .flatMap(compute -> monitor.freshRoles(compute.endpointId(), false).stream())
                .findFirst()
                .map(live -> live.copy()
                        .orTimeout(FRESH_ROLES_MAX_MILLIS, TimeUnit.MILLISECONDS)
                        .handle((_, _) -> answer))
                .orElseGet(() -> CompletableFuture.completedFuture(answer));
    }

    /** Whether a compute of the endpoint runs now, and is ready for sessions. */
    public boolean runs(String endpointId) {
        return computes.state(endpointId) == ComputeState.ACTIVE;
    }

    /** A masked role cannot log in to the branch itself, as Postgres sees it. */
    private Optional<String> verifier(String branchId, Map<String, LoginRole> roles, String name) {
        return Optional.ofNullable(roles.get(name))
                .filter(role ->
                        role.canLogin() || inventory.roleMasking(branchId, name).isPresent())
                .map(LoginRole::verifier)
                .filter(stored -> isUnderstood(branchId, name, stored));
    }

    /** Strangers are not told that a role has another kind of password; whoever reads the log is, once for each role. */
    private boolean isUnderstood(String branchId, String role, String stored) {
        boolean scram = ScramVerifier.isScram(stored);
        if (!scram && !stored.isEmpty() && warned.size() < MAX_WARNED && warned.add(branchId + ' ' + role)) {
            log.warn(
                    "role {} of branch {} cannot log in: its password is not stored as SCRAM-SHA-256 but as {}. ALTER ROLE ..."
                            + " PASSWORD, with password_encryption = 'scram-sha-256', sets it anew",
                    LogText.field(role),
                    branchId,
                    stored.startsWith("md5") ? "MD5" : "something else");
        }
        return scram;
    }

    /**
     * Makes sure that the endpoint's compute runs, and that it is not taken for idle just now.
     *
     * @return where it listens; fails with {@link RoutingException}
     */
    public CompletionStage<ComputeAddress> wake(String endpointId) {
        Optional<Branch> branch = connectableBranch(endpointId);
        if (branch.isEmpty()) {
            return CompletableFuture.failedFuture(gone());
        }
        if (computes.state(endpointId) != ComputeState.ACTIVE) {
            Optional<RoutingException> exceeded = exceeded(branch.get());
            if (exceeded.isPresent()) {
                return CompletableFuture.failedFuture(exceeded.get());
            }
        }
        monitor.touch(endpointId);
        return patient(branch.get(), gate.pass(branch.get().id(), () -> wakeNow(endpointId)))
                .handle((address, failure) -> woken(branch.get(), endpointId, address, failure));
    }

    /** Who waits for something long is told what for, before the proxy gives up without knowing. */
    private CompletableFuture<ComputeAddress> patient(Branch branch, CompletableFuture<ComputeAddress> wake) {
        if (gate.waitsFor(branch.id()).isEmpty()) {
            return wake;
        }
        return wake.copy()
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(
                        failure instanceof TimeoutException ? notYet(branch, failure) : failure));
    }

    private Throwable notYet(Branch branch, Throwable failure) {
        return gate.waitsFor(branch.id())
                .<Throwable>map(doing -> new RoutingException(
                        CANNOT_CONNECT_NOW,
                        "branch \"" + branch.name() + "\" is not ready yet: " + doing,
                        "Connect again later; coppice operations list shows how far it is."))
                .orElse(failure);
    }

    private Optional<RoutingException> exceeded(Branch branch) {
        return quotas.exceeded(branch.projectId())
                .map(why -> new RoutingException(
                        CONFIGURATION_LIMIT_EXCEEDED, why, "Raise the project's quota, or wait for the next month."))
                .or(
                        () -> computes.noRoomFor(new TimelineId(branch.timelineId()))
                                .map(
                                        why -> new RoutingException(
                                                DISK_FULL,
                                                "branch \"" + branch.name() + "\" cannot be woken: " + why,
                                                "Raise the limit, free disk space, or delete branches and history that nobody needs.")));
    }

    private CompletableFuture<ComputeAddress> wakeNow(String endpointId) {
        return connectableBranch(endpointId)
                .map(branch -> computes.wake(new ComputeSpec(
                        endpointId,
                        new TimelineId(branch.timelineId()),
                        sizes.of(endpointId),
                        ComputeSpec.Mode.READ_WRITE,
                        sizes.reach(endpointId))))
                .orElseGet(() -> CompletableFuture.failedFuture(gone()));
    }

    /**
     * Makes sure that a read-only compute of a past moment of the endpoint's branch runs. Who asks has proved a password of
     * the branch.
     *
     * @return where it listens; fails with {@link RoutingException}
     */
    public CompletionStage<ComputeAddress> wakeAt(String endpointId, BranchPointRequest moment) {
        Optional<Branch> branch = connectableBranch(endpointId);
        if (branch.isEmpty()) {
            return CompletableFuture.failedFuture(gone());
        }
        CompletableFuture<ComputeAddress> address = new CompletableFuture<>();
        Thread.ofVirtual().name("travel-" + endpointId).start(() -> {
            try {
                address.complete(travel.wake(branch.get(), moment));
            } catch (RuntimeException e) {
                address.completeExceptionally(notThen(branch.get(), e));
            }
        });
        return address;
    }

    /**
     * Whether the role sees the endpoint's branch masked only, as it is declared now.
     *
     * @return a text that changes with what a login would see; empty for a role that sees the branch itself
     */
    public Optional<String> masked(String endpointId, String role) {
        return inventory
                .endpoint(endpointId)
                .flatMap(endpoint -> inventory.branch(endpoint.branchId()))
                .flatMap(branch -> masked.mark(branch, role));
    }

    /** Refuses a past moment to a masked role: it would be the branch itself. */
    public RoutingException noPastFor(String role) {
        return new RoutingException(
                FEATURE_NOT_SUPPORTED,
                "role \"" + role + "\" is masked and cannot look at past moments",
                "Connect without a moment, or as a role that is not masked.");
    }

    /**
     * Makes sure that a masked view of the endpoint's branch runs that the role can log in to. Who asks has proved its password.
     *
     * @return where it listens; fails with {@link RoutingException}
     */
    public CompletionStage<ComputeAddress> wakeMasked(String endpointId, String role) {
        Optional<Branch> branch = connectableBranch(endpointId);
        if (branch.isEmpty()) {
            return CompletableFuture.failedFuture(gone());
        }
        Optional<RoutingException> exceeded = exceeded(branch.get());
        if (exceeded.isPresent()) {
            return CompletableFuture.failedFuture(exceeded.get());
        }
        CompletableFuture<ComputeAddress> address = new CompletableFuture<>();
        Thread.ofVirtual().name("masked-" + endpointId).start(() -> {
            try {
                address.complete(masked.wake(branch.get(), role));
            } catch (RuntimeException e) {
                address.completeExceptionally(notMasked(branch.get(), role, e));
            }
        });
        return address;
    }

    /** What to say of a branch whose boundary is not to be trusted; empty for any other failure. */
    private static Optional<RoutingException> locked(Branch branch, Throwable failure) {
        for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BoundaryException) {
                log.warn("Branch {} is not opened: {}", branch.name(), cause.getMessage());
                return Optional.of(new RoutingException(
                        NOT_IN_PREREQUISITE_STATE,
                        "branch \"" + branch.name()
                                + "\" is locked: what hides its originals is missing or was changed",
                        "The server's log says what to restore from a backup; or delete the branch."));
            }
        }
        return Optional.empty();
    }

    private static RoutingException notMasked(Branch branch, String role, RuntimeException failure) {
        Optional<RoutingException> locked = locked(branch, failure);
        if (locked.isPresent()) {
            return locked.get();
        }
        ControlException.Kind kind =
                failure instanceof ControlException refused ? refused.kind() : ControlException.Kind.INTERNAL;
        String about = "the masked view of branch \"" + branch.name() + "\" for role \"" + role + "\" ";
        String reason = Objects.requireNonNullElse(failure.getMessage(), "");
        return switch (kind) {
            case UNPROCESSABLE, NOT_FOUND ->
                new RoutingException(
                        NOT_IN_PREREQUISITE_STATE,
                        about + "cannot be made: " + reason,
                        "Whoever declared the role masked has to change its rules; \"coppice masking test\" tries them.");
            case LOCKED, UNAVAILABLE ->
                new RoutingException(CANNOT_CONNECT_NOW, about + "is not there now: " + reason, "Connect again.");
            default -> {
                log.error("A masked view of branch {} could not be opened", branch.name(), failure);
                yield new RoutingException(
                        CANNOT_CONNECT_NOW,
                        about + "could not be opened",
                        "The server's log says why. Connecting again tries again.");
            }
        };
    }

    private static RoutingException notThen(Branch branch, RuntimeException failure) {
        Optional<RoutingException> locked = locked(branch, failure);
        if (locked.isPresent()) {
            return locked.get();
        }
        ControlException.Kind kind =
                failure instanceof ControlException refused ? refused.kind() : ControlException.Kind.INTERNAL;
        String message = Objects.requireNonNullElse(failure.getMessage(), "");
        return switch (kind) {
            case UNPROCESSABLE ->
                new RoutingException(
                        INVALID_PARAMETER_VALUE,
                        message,
                        "Name a moment that the branch's history still has; history_retention_seconds of the project says"
                                + " how long it is kept.");
            case TOO_MANY ->
                new RoutingException(
                        TOO_MANY_CONNECTIONS,
                        message,
                        "Close connections to other moments, or raise time_travel.computes_per_project.");
            default -> {
                log.error("A past moment of branch {} could not be opened", branch.name(), failure);
                yield new RoutingException(
                        CANNOT_CONNECT_NOW,
                        "the compute of this moment of branch \"" + branch.name() + "\" could not be started",
                        "The server's log says why. Connecting again tries again.");
            }
        };
    }

    private Optional<Branch> connectableBranch(String endpointId) {
        return inventory
                .endpoint(endpointId)
                .flatMap(endpoint -> inventory.branch(endpoint.branchId()))
                .filter(Routing::connectable);
    }

    private static RoutingException gone() {
        return new RoutingException(
                UNKNOWN_DATABASE,
                "the branch does not exist any more",
                "List the branches with: coppice branches list");
    }

    private ComputeAddress woken(
            Branch branch, String endpointId, @Nullable ComputeAddress address, @Nullable Throwable failure) {
        if (failure instanceof RoutingException || failure instanceof CompletionException) {
            Throwable cause = failure instanceof RoutingException ? failure : failure.getCause();
            if (cause instanceof RoutingException refused) {
                throw new CompletionException(refused);
            }
        }
        if (address == null && failure != null) {
            Optional<RoutingException> locked = locked(branch, failure);
            if (locked.isPresent()) {
                throw new CompletionException(locked.get());
            }
        }
        if (address == null) {
            log.error("The compute of branch {} ({}) could not be started", branch.name(), endpointId, failure);
            throw new CompletionException(new RoutingException(
                    CANNOT_CONNECT_NOW,
                    "the compute of branch \"" + branch.name() + "\" could not be started",
                    "The server's log says why. Connecting again tries again."));
        }
        monitor.touch(endpointId);
        return address;
    }

    /** Wakes, and waits for it; a failure is logged. */
    void wakeQuietly(String endpointId) {
        try {
            wake(endpointId).toCompletableFuture().join();
        } catch (CompletionException e) {
            log.warn("{} was not woken to read its roles again: {}", endpointId, String.valueOf(e.getMessage()));
        }
    }

    private List<Route> routes(Stream<Branch> branches) {
        return branches.map(Branch::id)
                .map(inventory::endpointOfBranch)
                .flatMap(Optional::stream)
                .map(this::route)
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<Route> route(Endpoint endpoint) {
        return inventory
                .branch(endpoint.branchId())
                .filter(branch -> connectable(branch) && !endpoint.disabled())
                .map(branch -> new Route(endpoint.id(), branch.name(), branch.projectId()));
    }

    private static boolean connectable(Branch branch) {
        return branch.state() == BranchState.READY;
    }
}
