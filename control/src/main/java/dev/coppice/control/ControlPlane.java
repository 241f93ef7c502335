package dev.coppice.control;

import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.activity.CrashRewake;
import dev.coppice.control.activity.RoleSync;
import dev.coppice.control.anonymize.MaskingAudit;
import dev.coppice.control.api.ApiServer;
import dev.coppice.control.api.view.ConnectionStrings;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.CatalogServer;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.meter.ConsumptionMeter;
import dev.coppice.control.meter.ProjectStorage;
import dev.coppice.control.meter.Quotas;
import dev.coppice.control.project.ProjectWorkflows;
import dev.coppice.control.role.RolePasswords;
import dev.coppice.control.role.RoleWorkflows;
import dev.coppice.control.secret.SecretBox;
import dev.coppice.control.secret.Tokens;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.Detaching;
import dev.coppice.storage.PageService;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control plane of one server: opens the catalog, takes over what an earlier server left, makes the first project, serves
 * the API and watches computes. {@link #close} ends all of it, computes and catalog included, in the order that loses nothing.
 */
public final class ControlPlane implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ControlPlane.class);
    private static final String AUDIT_LOG = "audit.log";
    private static final String FIRST_PROJECT = "coppice";
    private static final String FIRST_BRANCH = "main";
    private static final String FIRST_ROLE = "coppice_owner";
    private static final String FIRST_DATABASE = "coppice";

    private final CatalogServer server;
    private final ActivityMonitor monitor;
    private final CrashRewake rewake;
    private final ConsumptionMeter meter;
    private final Wiring wiring;
    private final Routing routing;
    private final ApiServer api;
    private final Welcome welcome;

    private ControlPlane(
            CatalogServer server,
            ActivityMonitor monitor,
            CrashRewake rewake,
            ConsumptionMeter meter,
            Wiring wiring,
            Routing routing,
            ApiServer api,
            Welcome welcome) {
        this.server = server;
        this.monitor = monitor;
        this.rewake = rewake;
        this.meter = meter;
        this.wiring = wiring;
        this.routing = routing;
        this.api = api;
        this.welcome = welcome;
    }

    /**
     * What a start prints.
     *
     * @param connectionString of the first project's default branch; absent when the password of its database's owner was
     *     changed by SQL, or the branch has no database left
     * @param branchName of that branch; absent when there is no project any more
     */
    public record Welcome(
            String apiUrl, String apiKey, Optional<String> connectionString, Optional<String> branchName) {}

    /**
     * Starts the control plane.
     *
     * @param catalogServer the catalog's Postgres, running; closed by {@link #close}, also when this fails
     * @param computes with nothing recovered or woken yet; stays the caller's to close
     * @throws ControlException when the catalog is unusable, or the first project cannot be made
     */
    public static ControlPlane open(
            ControlConfiguration configuration,
            CatalogServer catalogServer,
            PageService pages,
            ComputeService computes,
            int postgresMajorVersion,
            Clock clock) {
        return open(configuration, catalogServer, pages, computes, postgresMajorVersion, clock, Steps.NONE);
    }

    /** As the first one; {@code steps} is told of every step that outlives the process. */
    public static ControlPlane open(
            ControlConfiguration configuration,
            CatalogServer catalogServer,
            PageService pages,
            ComputeService computes,
            int postgresMajorVersion,
            Clock clock,
            Steps steps) {
        @Nullable Catalog catalog = null;
        try {
            catalog = Catalog.open(catalogServer.socket(), steps);
            return start(configuration, catalogServer, catalog, pages, computes, postgresMajorVersion, clock);
        } catch (IOException | RuntimeException e) {
            if (catalog != null) {
                catalog.close();
            }
            catalogServer.close();
            throw e instanceof RuntimeException unchecked
                    ? unchecked
                    : new ControlException(ControlException.Kind.INTERNAL, "cannot start the control plane", e);
        }
    }

    private static ControlPlane start(
            ControlConfiguration configuration,
            CatalogServer server,
            Catalog catalog,
            PageService pages,
            ComputeService computes,
            int postgresMajorVersion,
            Clock clock)
            throws IOException {
        SecureRandom random = new SecureRandom();
        SecretBox secrets = SecretBox.open(configuration.dataDirectory().resolve("secret.key"), random);
        Tokens tokens = new Tokens(random);
        Ids ids = new Ids(random);
        RoleSync roleSync = new RoleSync(catalog, clock);
        ActivityMonitor monitor =
                new ActivityMonitor(catalog, computes, roleSync, ids, clock, configuration.suspendTimeoutSeconds());
        Masking masking = new Masking(catalog, secrets, random);
        // Before a compute is adopted: it may read through a boundary at once.
        pages.useBoundaries(masking.loader());
        Wiring wiring = new Wiring(
                new Wiring.Ground(
                        catalog,
                        pages,
                        computes,
                        configuration.compute(),
                        monitor,
                        roleSync,
                        new RolePasswords(secrets, tokens, random),
                        ids),
                masking,
                new Wiring.Limits(configuration.timeTravel(), configuration.recovery(), postgresMajorVersion),
                clock);
        ConsumptionMeter meter = new ConsumptionMeter(
                catalog, monitor, endpoint -> wiring.sizes.of(endpoint).computeUnits(), () -> active(computes), clock);
        Quotas quotas = new Quotas(catalog.inventory(), meter);
        Routing routing = new Routing(
                catalog.inventory(),
                computes,
                wiring.sizes,
                quotas,
                monitor,
                wiring.gates,
                wiring.travel,
                wiring.maskedLogin);
        CrashRewake rewake = new CrashRewake(catalog.inventory(), clock, routing::wakeQuietly);
        // Before the monitor, which forgets a compute's last position when it stops.
        computes.detachWith(new Detaching(new AdminConnection(postgresMajorVersion)));
        computes.admitBy(wiring.powers);
        computes.addListener(meter);
        computes.addListener(monitor);
        computes.addListener(rewake);
        computes.addListener(wiring.travel);
        computes.addListener(wiring.views);
        List<String> wereAwake = catalog.inventory().endpoints().stream()
                .filter(Endpoint::wasAwake)
                .map(Endpoint::id)
                .toList();
        new MaskingAudit(catalog, pages).run();
        computes.recover();
        MaskingAudit.endLocked(computes, pages);
        wiring.resumption.run();
        wiring.rebuilds.resume();
        List<String> died = wereAwake.stream()
                .filter(id -> computes.state(id) != ComputeState.ACTIVE)
                .toList();
        Thread.ofVirtual().name("rewake").start(() -> died.forEach(routing::wakeQuietly));
        ConnectionStrings strings = new ConnectionStrings(configuration.proxyHost(), configuration.proxyPort());
        ensureFirstProject(catalog.inventory(), wiring.projects);
        ProjectStorage stored = new ProjectStorage(pages);
        computes.limitDisk(endpointId -> branchBytes(catalog, endpointId));
        meter.start(
                project -> stored.bytes(catalog.inventory().branchesOf(project.id())),
                () -> suspendExceeding(quotas, computes, catalog, monitor));
        ApiServer api = ApiServer.start(
                new ApiServer.Serving(
                        configuration.api(),
                        strings,
                        configuration.suspendTimeoutSeconds(),
                        configuration.dataDirectory().resolve(AUDIT_LOG),
                        configuration.addressSyntax(),
                        tokens,
                        clock),
                new ApiServer.Facts(
                        catalog,
                        pages,
                        computes,
                        configuration.compute().computeUnits(),
                        monitor,
                        meter,
                        wiring.sizes,
                        wiring.powers,
                        configuration.recovery()),
                new ApiServer.ProjectServices(wiring.projects, wiring.operations, wiring.recovery),
                new ApiServer.BranchServices(
                        wiring.branches,
                        wiring.restores,
                        wiring.endpoints,
                        wiring.roles,
                        wiring.schemas,
                        wiring.snapshots,
                        wiring.snapshotRestores,
                        wiring.snapshotFinalization,
                        wiring.storage,
                        wiring.annotations),
                new ApiServer.MaskingServices(
                        wiring.anonymizing,
                        wiring.maskingRules,
                        wiring.reanonymization,
                        wiring.ruleSets,
                        wiring.maskingInspection,
                        wiring.roleMaskings,
                        wiring.maskings));
        try {
            CliAccess access = CliAccess.ensure(
                    configuration.dataDirectory(), configuration.api(), api.port(), catalog, tokens, clock);
            Welcome welcome = welcome(catalog.inventory(), wiring.roles, strings, access);
            wiring.deadlines.start();
            return new ControlPlane(server, monitor, rewake, meter, wiring, routing, api, welcome);
        } catch (IOException | RuntimeException e) {
            api.close();
            throw e;
        }
    }

    /** What each branch of a project may take of the disk, in bytes; 0 = the project has no limit. */
    private static long branchBytes(Catalog catalog, String endpointId) {
        return catalog.inventory()
                .endpoint(endpointId)
                .flatMap(endpoint -> catalog.inventory().project(endpoint.projectId()))
                .flatMap(project ->
                        Optional.ofNullable(project.settings().quota().branchBytes()))
                .orElse(0L);
    }

    private static List<String> active(ComputeService computes) {
        return computes.list().stream()
                .filter(status -> status.state() == ComputeState.ACTIVE)
                .map(status -> status.endpointId())
                .toList();
    }

    /** A project that has used up its quota has no computes; their next wake is refused. */
    private static void suspendExceeding(
            Quotas quotas, ComputeService computes, Catalog catalog, ActivityMonitor monitor) {
        for (String endpointId : active(computes)) {
            try {
                catalog.inventory()
                        .endpoint(endpointId)
                        .flatMap(endpoint -> quotas.exceeded(endpoint.projectId()))
                        .ifPresent(why -> {
                            log.info("Suspending the compute of {}: {}", endpointId, why);
                            monitor.suspend(endpointId);
                        });
            } catch (RuntimeException e) {
                log.warn("The compute of {} could not be suspended; it will be tried again", endpointId, e);
            }
        }
    }

    /** The first project is made once; whoever deletes it does not get it back. */
    private static void ensureFirstProject(Inventory inventory, ProjectWorkflows projects) {
        boolean fresh = inventory.projects().isEmpty() && !inventory.hasApiKeys();
        if (fresh) {
            projects.create(new ProjectWorkflows.Request(
                    FIRST_PROJECT,
                    FIRST_BRANCH,
                    FIRST_ROLE,
                    FIRST_DATABASE,
                    Project.RETENTION_DEFAULT_SECONDS,
                    ProjectSettings.DEFAULTS));
        }
    }

    private static Welcome welcome(
            Inventory inventory, RoleWorkflows roles, ConnectionStrings strings, CliAccess access) {
        Optional<Branch> branch =
                inventory.projects().stream().findFirst().map(Project::id).flatMap(inventory::defaultBranch);
        Optional<String> string = branch.flatMap(found -> inventory
                .endpointOfBranch(found.id())
                .flatMap(endpoint -> roles.contents(found.projectId(), found.id())
                        .login()
                        .map(way -> strings.of(way.role(), way.password(), way.database(), endpoint.id()))));
        return new Welcome(access.apiUrl(), access.apiKey(), string, branch.map(Branch::name));
    }

    /** What a proxy asks. */
    public Routing routing() {
        return routing;
    }

    public Welcome welcome() {
        return welcome;
    }

    /** The port of the REST API, also when the configuration left it open. */
    public int apiPort() {
        return api.port();
    }

    /**
     * Stops the API, suspends every compute after reading its roles, and stops the catalog. The proxy should have let go of
     * its sessions before.
     */
    @Override
    public void close() {
        api.close();
        wiring.deadlines.close();
        monitor.suspendAll();
        wiring.travel.endAll();
        wiring.views.endAll();
        rewake.close();
        monitor.close();
        meter.close();
        wiring.ground.catalog().close();
        server.close();
    }

    /** For tests: what happens on a kill, as far as it can be had in one process. Computes and the catalog run on. */
    void abandon() {
        api.close();
        wiring.deadlines.close();
        rewake.close();
        monitor.close();
        meter.close();
        wiring.ground.catalog().close();
        server.letGo();
    }

    ApiServer api() {
        return api;
    }

    Wiring wiring() {
        return wiring;
    }
}
