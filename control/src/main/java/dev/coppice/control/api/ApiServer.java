package dev.coppice.control.api;

import dev.coppice.common.TimelineId;
import dev.coppice.common.http.GuardedHttpServers;
import dev.coppice.common.http.HttpGuard;
import dev.coppice.control.api.account.AccountRoutes;
import dev.coppice.control.api.account.CloudRoutes;
import dev.coppice.control.api.account.ConsumptionRoutes;
import dev.coppice.control.api.account.KeyRoutes;
import dev.coppice.control.api.account.ServerRoutes;
import dev.coppice.control.api.branch.Annotations;
import dev.coppice.control.api.branch.BranchRoutes;
import dev.coppice.control.api.branch.EndpointRoutes;
import dev.coppice.control.api.branch.RoleRoutes;
import dev.coppice.control.api.branch.SchemaRoutes;
import dev.coppice.control.api.masking.MaskingBodies;
import dev.coppice.control.api.masking.MaskingRoutes;
import dev.coppice.control.api.masking.MaskingViews;
import dev.coppice.control.api.masking.RoleMaskingRoutes;
import dev.coppice.control.api.project.ProjectRoutes;
import dev.coppice.control.api.project.RecoveryRoutes;
import dev.coppice.control.api.server.Access;
import dev.coppice.control.api.server.AnonymizedScope;
import dev.coppice.control.api.server.ApiSettings;
import dev.coppice.control.api.server.AuditLog;
import dev.coppice.control.api.server.Failures;
import dev.coppice.control.api.server.Lookup;
import dev.coppice.control.api.server.OpenApi;
import dev.coppice.control.api.server.PemIdentity;
import dev.coppice.control.api.server.RequestLimiter;
import dev.coppice.control.api.server.RouteMethods;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.snapshot.SnapshotRoutes;
import dev.coppice.control.api.storage.StorageRoutes;
import dev.coppice.control.api.storage.StorageViews;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.ConnectionStrings;
import dev.coppice.control.api.view.OperationProgress;
import dev.coppice.control.api.view.SettingsChange;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.branch.AnonymizeWorkflow;
import dev.coppice.control.branch.BranchConditions;
import dev.coppice.control.branch.BranchSizes;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.ComputeSizes;
import dev.coppice.control.branch.EndpointWorkflows;
import dev.coppice.control.branch.MaskingInspection;
import dev.coppice.control.branch.NamedRuleSets;
import dev.coppice.control.branch.ProjectWorkflows;
import dev.coppice.control.branch.Recovery;
import dev.coppice.control.branch.RestoreWorkflow;
import dev.coppice.control.branch.RoleMaskings;
import dev.coppice.control.branch.RoleWorkflows;
import dev.coppice.control.branch.SchemaComparison;
import dev.coppice.control.branch.SnapshotRestore;
import dev.coppice.control.branch.SnapshotWorkflows;
import dev.coppice.control.branch.StorageInspection;
import dev.coppice.control.branch.Workshop;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.meter.ConsumptionMeter;
import dev.coppice.control.meter.Quotas;
import io.avaje.jex.Jex;
import io.avaje.jex.http.Context;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** The HTTP server of the REST API: authentication, routes, errors. Requests run on virtual threads. */
public final class ApiServer implements AutoCloseable {
    /** Where the records are that requests and answers consist of. */
    private static final List<Class<?>> DESCRIBED = List.of(
            Bodies.class,
            Views.class,
            ConsumptionRoutes.class,
            KeyRoutes.class,
            MaskingBodies.class,
            MaskingViews.class,
            RoleMaskingRoutes.class,
            SchemaRoutes.class,
            ServerRoutes.class,
            SnapshotRoutes.class,
            StorageViews.class);

    private final Jex.Server server;
    private final AuditLog audit;
    private final OpenApi openApi;

    private ApiServer(Jex.Server server, AuditLog audit, OpenApi openApi) {
        this.server = server;
        this.audit = audit;
        this.openApi = openApi;
    }

    /**
     * What the API stands on besides the workshop.
     *
     * @param suspendTimeoutSeconds the configured default, as shown in projects
     * @param auditLog the file of the audit log
     * @param addressSyntax throws IllegalArgumentException for what is no list of addresses, ranges and blocks
     */
    public record Parts(
            ApiSettings settings,
            ConnectionStrings strings,
            ConsumptionMeter meter,
            int suspendTimeoutSeconds,
            Path auditLog,
            Consumer<List<String>> addressSyntax) {}

    /**
     * Starts to listen.
     *
     * @throws ControlException when it may not listen there, or its certificate cannot be used
     */
    public static ApiServer start(Workshop shop, Parts parts) {
        ApiSettings settings = parts.settings();
        InetSocketAddress listen = settings.listen();
        requireSafe(settings);
        Inventory inventory = shop.catalog().inventory();
        ViewMaker views = new ViewMaker(
                shop.computeService(),
                shop.monitor(),
                parts.strings(),
                new BranchSizes(shop.pages()),
                parts.meter(),
                new ComputeSizes(inventory, shop.computeSettings()),
                shop.computeSettings().computeUnits(),
                parts.suspendTimeoutSeconds(),
                shop.recovery(),
                new BranchConditions(inventory, shop.computeService()),
                shop.powers(),
                branch -> isMasked(shop, branch),
                new OperationProgress(shop.catalog()));
        Access access = new Access(
                shop.catalog(),
                new RequestLimiter(
                        settings.requestsPerKeyPerSecond(), settings.failuresPerAddressPerMinute(), System::nanoTime),
                shop.clock());
        AuditLog audit = AuditLog.open(parts.auditLog());
        RouteMethods methods = new RouteMethods();
        Jex jex = Jex.create()
                .config(config -> {
                    config.host(listen.getHostString())
                            .serverProvider(new GuardedHttpServers(new HttpGuard(settings.hosts(), methods::of)))
                            .health(false)
                            .compression(c -> c.disableCompression());
                    settings.tls().ifPresent(tls -> config.httpsConfig(PemIdentity.context(tls)));
                })
                .port(listen.getPort())
                .filter((context, chain) -> {
                    if (!context.path().equals(Routes.BASE + OpenApi.PATH)) {
                        access.authenticate(context);
                    }
                    chain.proceed();
                })
                .error(Exception.class, ApiServer::failed);
        Lookup lookup = new Lookup(inventory);
        AnonymizedScope anonymized = new AnonymizedScope(lookup, shop.pages());
        Routes routes = new Routes(jex, methods, audit, shop.clock(), anonymized);
        new AccountRoutes(shop.clock().instant()).register(routes);
        new KeyRoutes(shop.catalog(), shop.tokens(), shop.clock()).register(routes);
        new ProjectRoutes(shop.catalog(), new ProjectWorkflows(shop), new SettingsChange(parts.addressSyntax()), views)
                .register(routes);
        BranchRoutes branches = new BranchRoutes(
                lookup,
                new BranchWorkflows(shop),
                new RestoreWorkflow(shop),
                new Annotations(shop.catalog(), shop.clock()),
                views,
                anonymized);
        branches.register(routes);
        new MaskingRoutes(
                        lookup,
                        branches,
                        new AnonymizeWorkflow(shop),
                        new NamedRuleSets(shop),
                        new MaskingInspection(shop),
                        anonymized)
                .register(routes);
        new RoleMaskingRoutes(new RoleMaskings(shop)).register(routes);
        new EndpointRoutes(lookup, new EndpointWorkflows(shop), new Quotas(inventory, parts.meter()), views)
                .register(routes);
        new RoleRoutes(lookup, new RoleWorkflows(shop), views).register(routes);
        new ConsumptionRoutes(inventory, parts.meter()).register(routes);
        new RecoveryRoutes(new Recovery(shop), views).register(routes);
        new SnapshotRoutes(lookup, new SnapshotWorkflows(shop), new SnapshotRestore(shop), views).register(routes);
        new SchemaRoutes(lookup, new SchemaComparison(shop)).register(routes);
        new StorageRoutes(inventory, lookup, new StorageInspection(shop)).register(routes);
        new ServerRoutes(shop.computeService().isolation()).register(routes);
        new CloudRoutes(lookup).register(routes);
        OpenApi openApi = new OpenApi(routes, DESCRIBED);
        openApi.register(jex, methods);
        return new ApiServer(jex.start(), audit, openApi);
    }

    /** Keys travel in every request: beyond this machine they must be encrypted, unless somebody says that they are. */
    static void requireSafe(ApiSettings settings) {
        InetSocketAddress listen = settings.listen();
        boolean local = listen.getAddress() != null && listen.getAddress().isLoopbackAddress();
        if (!local && settings.tls().isEmpty() && !settings.allowPlainHttp()) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    "api.listen is " + listen.getHostString() + ":" + listen.getPort()
                            + ", which others can reach, and the API would be plain HTTP: give it a certificate (api.tls), or"
                            + " set api.allow_plain_http when something in front of it speaks TLS");
        }
    }

    /** A deleted branch may have lost its timeline. */
    private static boolean isMasked(Workshop shop, Branch branch) {
        TimelineId timeline = new TimelineId(branch.timelineId());
        return shop.pages().exists(timeline) && shop.pages().timeline(timeline).seesThroughBoundary();
    }

    public int port() {
        return server.port();
    }

    /** For tests: where the API's description and its routes differ. */
    public List<String> descriptionMismatches() {
        return openApi.mismatches();
    }

    /** Stops listening; requests under way may finish for a short while. */
    @Override
    public void close() {
        server.shutdown();
        audit.close();
    }

    /** What fails before a route's handler is reached: a missing key, an unknown path. */
    private static void failed(Context context, Exception e) {
        String requestId = Routes.requestId();
        Routes.send(context, Failures.reply(context, e, requestId), requestId);
    }
}
