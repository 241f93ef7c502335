package dev.coppice.control.api;

import dev.coppice.common.http.GuardedHttpServers;
import dev.coppice.common.http.HttpGuard;
import dev.coppice.compute.ComputeService;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.anonymize.BranchMaskings;
import dev.coppice.control.anonymize.MaskingInspection;
import dev.coppice.control.anonymize.MaskingRules;
import dev.coppice.control.anonymize.NamedRuleSets;
import dev.coppice.control.anonymize.RoleMaskings;
import dev.coppice.control.api.account.AccountRoutes;
import dev.coppice.control.api.account.CloudRoutes;
import dev.coppice.control.api.account.ConsumptionRoutes;
import dev.coppice.control.api.account.KeyRoutes;
import dev.coppice.control.api.account.ServerRoutes;
import dev.coppice.control.api.branch.BranchRoutes;
import dev.coppice.control.api.branch.EndpointRoutes;
import dev.coppice.control.api.branch.RoleRoutes;
import dev.coppice.control.api.branch.SchemaRoutes;
import dev.coppice.control.api.console.ConsoleFiles;
import dev.coppice.control.api.console.SessionRoutes;
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
import dev.coppice.control.api.server.SessionCookie;
import dev.coppice.control.api.snapshot.SnapshotRoutes;
import dev.coppice.control.api.storage.StorageRoutes;
import dev.coppice.control.api.storage.StorageViews;
import dev.coppice.control.api.view.Bodies;
import dev.coppice.control.api.view.ConnectionStrings;
import dev.coppice.control.api.view.OperationProgress;
import dev.coppice.control.api.view.SettingsChange;
import dev.coppice.control.api.view.ViewMaker;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.branch.Annotations;
import dev.coppice.control.branch.BranchConditions;
import dev.coppice.control.branch.BranchSizes;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.SchemaComparison;
import dev.coppice.control.branch.StorageInspection;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.deletion.Recovery;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.endpoint.ComputeSizes;
import dev.coppice.control.endpoint.EndpointWorkflows;
import dev.coppice.control.endpoint.OwnerPowers;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.meter.ConsumptionMeter;
import dev.coppice.control.meter.Quotas;
import dev.coppice.control.operation.OperationLog;
import dev.coppice.control.project.ProjectWorkflows;
import dev.coppice.control.restore.Reanonymization;
import dev.coppice.control.restore.RestoreWorkflow;
import dev.coppice.control.role.RoleWorkflows;
import dev.coppice.control.secret.Tokens;
import dev.coppice.control.session.Sessions;
import dev.coppice.control.session.SignInLinks;
import dev.coppice.control.snapshot.SnapshotFinalization;
import dev.coppice.control.snapshot.SnapshotRestore;
import dev.coppice.control.snapshot.SnapshotWorkflows;
import dev.coppice.storage.PageService;
import io.avaje.jex.Jex;
import io.avaje.jex.http.Context;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
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
            SessionRoutes.class,
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
     * How the API is to be served.
     *
     * @param suspendTimeoutSeconds the configured default, as shown in projects
     * @param auditLog the file of the audit log
     * @param addressSyntax throws IllegalArgumentException for what is no list of addresses, ranges and blocks
     */
    public record Serving(
            ApiSettings settings,
            ConnectionStrings strings,
            int suspendTimeoutSeconds,
            Path auditLog,
            Consumer<List<String>> addressSyntax,
            Tokens tokens,
            Clock clock) {}

    /** Where what is shown comes from. */
    public record Facts(
            Catalog catalog,
            PageService pages,
            ComputeService computeService,
            double defaultComputeUnits,
            ActivityMonitor monitor,
            ConsumptionMeter meter,
            ComputeSizes sizes,
            OwnerPowers powers,
            RecoveryWindow recoveryWindow) {}

    /** What is done with projects, and with what has been deleted. */
    public record ProjectServices(ProjectWorkflows projects, OperationLog operations, Recovery recovery) {}

    /** What is done with branches and what is in them. */
    public record BranchServices(
            BranchWorkflows branches,
            RestoreWorkflow restores,
            EndpointWorkflows endpoints,
            RoleWorkflows roles,
            SchemaComparison schemas,
            SnapshotWorkflows snapshots,
            SnapshotRestore snapshotRestores,
            SnapshotFinalization snapshotFinalization,
            StorageInspection storage,
            Annotations annotations) {}

    /** What is done to hide things. */
    public record MaskingServices(
            AnonymizeWorkflow anonymizing,
            MaskingRules rules,
            Reanonymization reanonymization,
            NamedRuleSets ruleSets,
            MaskingInspection inspection,
            RoleMaskings roles,
            BranchMaskings maskings) {}

    /** Who is signed in at the console. */
    private record ConsoleServices(Sessions sessions, SignInLinks links, SessionCookie cookie) {
        static ConsoleServices open(Serving serving, Facts facts) {
            return new ConsoleServices(
                    Sessions.open(facts.catalog(), serving.tokens(), serving.clock()),
                    new SignInLinks(serving.tokens(), serving.clock()),
                    new SessionCookie(serving.settings().tls().isPresent()));
        }
    }

    /**
     * Starts to listen.
     *
     * @throws ControlException when it may not listen there, or its certificate cannot be used
     */
    public static ApiServer start(
            Serving serving,
            Facts facts,
            ProjectServices ofProjects,
            BranchServices ofBranches,
            MaskingServices ofMasking) {
        ApiSettings settings = serving.settings();
        InetSocketAddress listen = settings.listen();
        requireSafe(settings);
        Inventory inventory = facts.catalog().inventory();
        ConsoleServices console = ConsoleServices.open(serving, facts);
        Access access = new Access(
                facts.catalog(),
                new RequestLimiter(
                        settings.requestsPerKeyPerSecond(), settings.failuresPerAddressPerMinute(), System::nanoTime),
                serving.clock(),
                console.sessions(),
                console.links(),
                console.cookie());
        AuditLog audit = AuditLog.open(serving.auditLog());
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
                    if (!ConsoleFiles.isFor(context.path()) && !context.path().equals(Routes.BASE + OpenApi.PATH)) {
                        access.authenticate(context);
                    }
                    chain.proceed();
                })
                .error(Exception.class, ApiServer::failed);
        new ConsoleFiles().register(jex);
        Lookup lookup = new Lookup(inventory);
        AnonymizedScope anonymized = new AnonymizedScope(lookup, facts.pages());
        Routes routes = new Routes(jex, methods, audit, serving.clock(), anonymized);
        new SessionRoutes(inventory, console.sessions(), console.links(), console.cookie()).register(routes);
        register(routes, serving, facts, ofProjects, ofBranches, ofMasking, lookup, anonymized);
        OpenApi openApi = new OpenApi(routes, DESCRIBED);
        openApi.register(jex, methods);
        return new ApiServer(jex.start(), audit, openApi);
    }

    private static void register(
            Routes routes,
            Serving serving,
            Facts facts,
            ProjectServices ofProjects,
            BranchServices ofBranches,
            MaskingServices ofMasking,
            Lookup lookup,
            AnonymizedScope anonymized) {
        Inventory inventory = facts.catalog().inventory();
        ViewMaker views = views(serving, facts, ofMasking);
        new AccountRoutes(serving.clock().instant()).register(routes);
        new KeyRoutes(facts.catalog(), serving.tokens(), serving.clock()).register(routes);
        new ProjectRoutes(
                        inventory,
                        ofProjects.operations(),
                        ofProjects.projects(),
                        new SettingsChange(serving.addressSyntax()),
                        views)
                .register(routes);
        BranchRoutes branches = new BranchRoutes(
                lookup, ofBranches.branches(), ofBranches.restores(), ofBranches.annotations(), views, anonymized);
        branches.register(routes);
        new MaskingRoutes(
                        lookup,
                        branches,
                        ofMasking.anonymizing(),
                        ofMasking.rules(),
                        ofMasking.reanonymization(),
                        ofMasking.ruleSets(),
                        ofMasking.inspection(),
                        anonymized)
                .register(routes);
        new RoleMaskingRoutes(ofMasking.roles()).register(routes);
        new EndpointRoutes(lookup, ofBranches.endpoints(), new Quotas(inventory, facts.meter()), views)
                .register(routes);
        new RoleRoutes(lookup, ofBranches.roles(), views).register(routes);
        new ConsumptionRoutes(inventory, facts.meter()).register(routes);
        new RecoveryRoutes(ofProjects.recovery(), views).register(routes);
        new SnapshotRoutes(
                        lookup,
                        ofBranches.snapshots(),
                        ofBranches.snapshotRestores(),
                        ofBranches.snapshotFinalization(),
                        views)
                .register(routes);
        new SchemaRoutes(lookup, ofBranches.schemas()).register(routes);
        new StorageRoutes(inventory, lookup, ofBranches.storage()).register(routes);
        new ServerRoutes(facts.computeService().isolation()).register(routes);
        new CloudRoutes(lookup).register(routes);
    }

    private static ViewMaker views(Serving serving, Facts facts, MaskingServices ofMasking) {
        Inventory inventory = facts.catalog().inventory();
        return new ViewMaker(
                facts.computeService(),
                facts.monitor(),
                serving.strings(),
                new BranchSizes(facts.pages()),
                facts.meter(),
                facts.sizes(),
                facts.defaultComputeUnits(),
                serving.suspendTimeoutSeconds(),
                facts.recoveryWindow(),
                new BranchConditions(inventory, facts.computeService()),
                facts.powers(),
                branch -> isMasked(facts.pages(), branch),
                new OperationProgress(ofMasking.maskings()));
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
    private static boolean isMasked(PageService pages, Branch branch) {
        return pages.exists(branch.timeline())
                && pages.timeline(branch.timeline()).seesThroughBoundary();
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
