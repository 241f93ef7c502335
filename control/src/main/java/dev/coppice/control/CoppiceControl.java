package dev.coppice.control;

import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.activity.RoleSync;
import dev.coppice.control.api.ApiServer;
import dev.coppice.control.api.view.ConnectionStrings;
import dev.coppice.control.branch.AnonymizeWorkflow;
import dev.coppice.control.branch.BranchContents;
import dev.coppice.control.branch.BranchLocks;
import dev.coppice.control.branch.ComputeSizes;
import dev.coppice.control.branch.Deadlines;
import dev.coppice.control.branch.HiddenTimelines;
import dev.coppice.control.branch.MaskedLogin;
import dev.coppice.control.branch.MaskedViews;
import dev.coppice.control.branch.MaskingAudit;
import dev.coppice.control.branch.OwnerPowers;
import dev.coppice.control.branch.ProjectStorage;
import dev.coppice.control.branch.ProjectWorkflows;
import dev.coppice.control.branch.Resumption;
import dev.coppice.control.branch.RoleWorkflows;
import dev.coppice.control.branch.TimeTravel;
import dev.coppice.control.branch.WakeGate;
import dev.coppice.control.branch.Workshop;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.CatalogServer;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.id.Ids;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.meter.ConsumptionMeter;
import dev.coppice.control.meter.Quotas;
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
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control plane of one server: opens the catalog, takes over what an earlier server left, makes the first project, serves
 * the API and watches computes. {@link #close} ends all of it, computes and catalog included, in the order that loses nothing.
 */
public final class CoppiceControl implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CoppiceControl.class);
    private static final String AUDIT_LOG = "audit.log";
    private static final String FIRST_PROJECT = "coppice";
    private static final String FIRST_BRANCH = "main";
    private static final String FIRST_ROLE = "coppice_owner";
    private static final String FIRST_DATABASE = "coppice";

    private final CatalogServer server;
    private final Catalog catalog;
    private final ActivityMonitor monitor;
    private final ConsumptionMeter meter;
    private final Workshop shop;
    private final Routing routing;
    private final ApiServer api;
    private final Deadlines deadlines;
    private final Welcome welcome;

    private CoppiceControl(
            CatalogServer server,
            Catalog catalog,
            ActivityMonitor monitor,
            ConsumptionMeter meter,
            Workshop shop,
            Routing routing,
            ApiServer api,
            Deadlines deadlines,
            Welcome welcome) {
        this.server = server;
        this.catalog = catalog;
        this.monitor = monitor;
        this.meter = meter;
        this.shop = shop;
        this.routing = routing;
        this.api = api;
        this.deadlines = deadlines;
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
    public static CoppiceControl open(
            ControlConfiguration configuration,
            CatalogServer catalogServer,
            PageService pages,
            ComputeService computes,
            int postgresMajorVersion,
            Clock clock) {
        return open(configuration, catalogServer, pages, computes, postgresMajorVersion, clock, Steps.NONE);
    }

    /** As the first one; {@code steps} is told of every step that outlives the process. */
    public static CoppiceControl open(
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

    private static CoppiceControl start(
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
        AtomicReference<@Nullable Routing> routingLater = new AtomicReference<>();
        ActivityMonitor monitor = new ActivityMonitor(
                catalog, computes, roleSync, ids, clock, configuration.suspendTimeoutSeconds(), endpointId -> {
                    Routing routing = routingLater.get();
                    if (routing != null) {
                        routing.wakeQuietly(endpointId);
                    }
                });
        Masking masking = new Masking(catalog, secrets, random);
        // Before a compute is adopted: it may read through a boundary at once.
        pages.useBoundaries(masking.loader());
        HiddenTimelines hidden = new HiddenTimelines(catalog, pages, computes, monitor);
        TimeTravel travel = new TimeTravel(
                catalog.inventory(),
                pages,
                computes,
                configuration.compute(),
                monitor,
                hidden,
                ids,
                clock,
                configuration.timeTravel());
        MaskedViews views =
                new MaskedViews(catalog.inventory(), computes, configuration.compute(), monitor, hidden, ids, clock);
        WakeGate gate = new WakeGate();
        ComputeSizes sizes = new ComputeSizes(catalog.inventory(), configuration.compute());
        ConsumptionMeter meter = new ConsumptionMeter(
                catalog, monitor, endpoint -> sizes.of(endpoint).computeUnits(), () -> active(computes), clock);
        Quotas quotas = new Quotas(catalog.inventory(), meter);
        Workshop shop = new Workshop(
                catalog,
                pages,
                computes,
                configuration.compute(),
                monitor,
                roleSync,
                secrets,
                tokens,
                ids,
                random,
                clock,
                postgresMajorVersion,
                new ReentrantReadWriteLock(),
                new BranchLocks(),
                gate,
                hidden,
                travel,
                views,
                configuration.recovery(),
                masking);
        Routing routing =
                new Routing(catalog.inventory(), computes, sizes, quotas, monitor, gate, travel, new MaskedLogin(shop));
        routingLater.set(routing);
        // Before the monitor, which forgets a compute's last position when it stops.
        computes.detachWith(new Detaching(new AdminConnection(postgresMajorVersion)));
        computes.admitBy(new OwnerPowers(catalog.inventory(), computes, pages));
        computes.addListener(meter);
        computes.addListener(monitor);
        computes.addListener(travel);
        computes.addListener(views);
        List<String> wereAwake = catalog.inventory().endpoints().stream()
                .filter(Endpoint::wasAwake)
                .map(Endpoint::id)
                .toList();
        new MaskingAudit(catalog, pages).run();
        computes.recover();
        MaskingAudit.endLocked(computes, pages);
        new Resumption(shop).run();
        new AnonymizeWorkflow(shop).resume();
        List<String> died = wereAwake.stream()
                .filter(id -> computes.state(id) != ComputeState.ACTIVE)
                .toList();
        Thread.ofVirtual().name("rewake").start(() -> died.forEach(routing::wakeQuietly));
        ConnectionStrings strings = new ConnectionStrings(configuration.proxyHost(), configuration.proxyPort());
        ensureFirstProject(shop);
        ProjectStorage stored = new ProjectStorage(pages);
        meter.start(
                project -> stored.bytes(catalog.inventory().branchesOf(project.id())),
                () -> suspendExceeding(quotas, computes, catalog, monitor));
        ApiServer api = ApiServer.start(
                shop,
                new ApiServer.Parts(
                        configuration.api(),
                        strings,
                        meter,
                        configuration.suspendTimeoutSeconds(),
                        configuration.dataDirectory().resolve(AUDIT_LOG),
                        configuration.addressSyntax()));
        try {
            CliAccess access = CliAccess.ensure(
                    configuration.dataDirectory(), configuration.api(), api.port(), catalog, tokens, clock);
            Welcome welcome = welcome(shop, strings, access);
            Deadlines deadlines = new Deadlines(shop);
            deadlines.start();
            return new CoppiceControl(server, catalog, monitor, meter, shop, routing, api, deadlines, welcome);
        } catch (IOException | RuntimeException e) {
            api.close();
            throw e;
        }
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
    private static void ensureFirstProject(Workshop shop) {
        boolean fresh = shop.catalog().inventory().projects().isEmpty()
                && !shop.catalog().inventory().hasApiKeys();
        if (fresh) {
            new ProjectWorkflows(shop)
                    .create(new ProjectWorkflows.Request(
                            FIRST_PROJECT,
                            FIRST_BRANCH,
                            FIRST_ROLE,
                            FIRST_DATABASE,
                            Project.RETENTION_DEFAULT_SECONDS,
                            ProjectSettings.DEFAULTS));
        }
    }

    private static Welcome welcome(Workshop shop, ConnectionStrings strings, CliAccess access) {
        Optional<Branch> branch = shop.catalog().inventory().projects().stream()
                .findFirst()
                .map(Project::id)
                .flatMap(shop.catalog().inventory()::defaultBranch);
        Optional<String> string = branch.flatMap(found -> connectionString(shop, strings, found));
        return new Welcome(access.apiUrl(), access.apiKey(), string, branch.map(Branch::name));
    }

    private static Optional<String> connectionString(Workshop shop, ConnectionStrings strings, Branch branch) {
        Optional<Endpoint> endpoint = shop.catalog().inventory().endpointOfBranch(branch.id());
        Optional<BranchContents.Login> login = new RoleWorkflows(shop)
                .contents(branch.projectId(), branch.id())
                .login();
        return endpoint.flatMap(
                found -> login.map(way -> strings.of(way.role(), way.password(), way.database(), found.id())));
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
        deadlines.close();
        monitor.suspendAll();
        shop.travel().endAll();
        shop.views().endAll();
        monitor.close();
        meter.close();
        catalog.close();
        server.close();
    }

    /** For tests: what happens on a kill, as far as it can be had in one process. Computes and the catalog run on. */
    void abandon() {
        api.close();
        deadlines.close();
        monitor.close();
        meter.close();
        catalog.close();
        server.letGo();
    }

    ApiServer api() {
        return api;
    }

    Workshop workshop() {
        return shop;
    }
}
