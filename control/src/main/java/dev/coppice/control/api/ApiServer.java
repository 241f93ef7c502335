package dev.coppice.control.api;

import dev.coppice.control.ConnectionStrings;
import dev.coppice.control.activity.ActivityMonitor;
import dev.coppice.control.branch.AnonymizeWorkflow;
import dev.coppice.control.branch.BranchSizes;
import dev.coppice.control.branch.BranchWorkflows;
import dev.coppice.control.branch.EndpointWorkflows;
import dev.coppice.control.branch.MaskingInspection;
import dev.coppice.control.branch.NamedRuleSets;
import dev.coppice.control.branch.ProjectWorkflows;
import dev.coppice.control.branch.Recovery;
import dev.coppice.control.branch.RestoreWorkflow;
import dev.coppice.control.branch.RoleWorkflows;
import dev.coppice.control.branch.SchemaComparison;
import dev.coppice.control.branch.SnapshotRestore;
import dev.coppice.control.branch.SnapshotWorkflows;
import dev.coppice.control.branch.StorageInspection;
import dev.coppice.control.branch.Workshop;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import io.avaje.jex.Jex;
import io.avaje.jex.http.Context;
import io.avaje.jex.http.HttpResponseException;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP server of the REST API: authentication, routes, errors. Requests run on virtual threads. */
public final class ApiServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ApiServer.class);
    private static final String BEARER = "bearer ";

    private final Jex.Server server;

    private ApiServer(Jex.Server server) {
        this.server = server;
    }

    /**
     * Starts to listen.
     *
     * @param listen port 0 takes a free one
     * @param suspendTimeoutSeconds the configured default, as shown in projects
     */
    public static ApiServer start(
            InetSocketAddress listen, Workshop shop, ConnectionStrings strings, int suspendTimeoutSeconds) {
        Inventory inventory = shop.catalog().inventory();
        ActivityMonitor monitor = shop.monitor();
        RoleWorkflows roles = new RoleWorkflows(shop);
        ViewMaker views = new ViewMaker(
                shop.computeService(),
                monitor,
                strings,
                new BranchSizes(shop.pages()),
                shop.computeSettings().computeUnits(),
                suspendTimeoutSeconds,
                shop.recovery());
        Jex jex = Jex.create()
                .config(config ->
                        config.host(listen.getHostString()).health(false).compression(c -> c.disableCompression()))
                .port(listen.getPort())
                .filter((context, chain) -> {
                    authenticate(inventory, context);
                    chain.proceed();
                })
                .error(ControlException.class, ApiServer::refused)
                .error(HttpResponseException.class, ApiServer::noRoute)
                .error(Exception.class, ApiServer::failed);
        Routes routes = new Routes(jex);
        Lookup lookup = new Lookup(inventory);
        new AccountRoutes(shop.clock().instant()).register(routes);
        new ProjectRoutes(shop.catalog(), new ProjectWorkflows(shop), views).register(routes);
        BranchRoutes branches = new BranchRoutes(lookup, new BranchWorkflows(shop), new RestoreWorkflow(shop), views);
        branches.register(routes);
        new MaskingRoutes(
                        lookup,
                        branches,
                        new AnonymizeWorkflow(shop),
                        new NamedRuleSets(shop),
                        new MaskingInspection(shop))
                .register(routes);
        new EndpointRoutes(lookup, new EndpointWorkflows(shop), views).register(routes);
        new RoleRoutes(lookup, roles, views).register(routes);
        new RecoveryRoutes(new Recovery(shop), views).register(routes);
        new SnapshotRoutes(lookup, new SnapshotWorkflows(shop), new SnapshotRestore(shop), views).register(routes);
        new SchemaRoutes(lookup, new SchemaComparison(shop)).register(routes);
        new StorageRoutes(inventory, lookup, new StorageInspection(shop)).register(routes);
        return new ApiServer(jex.start());
    }

    public int port() {
        return server.port();
    }

    /** Stops listening; requests under way may finish for a short while. */
    @Override
    public void close() {
        server.shutdown();
    }

    private static void authenticate(Inventory inventory, Context context) {
        String header = context.header("Authorization");
        if (header == null || !header.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
            throw new HttpResponseException(
                    401, "an API key is needed: send the header \"Authorization: Bearer <key>\"");
        }
        String key = header.substring(BEARER.length()).strip();
        if (!inventory.hasApiKey(Tokens.hash(key))) {
            throw new HttpResponseException(401, "this API key is not valid here");
        }
    }

    private static void refused(Context context, ControlException e) {
        String requestId = requestId();
        int status = status(e.kind());
        if (e.kind() == ControlException.Kind.INTERNAL) {
            log.error("{} {} failed, request {}", context.method(), context.path(), requestId, e);
        } else {
            log.debug("{} {} answered {}, request {}", context.method(), context.path(), status, requestId, e);
        }
        send(context, status, e.kind().name(), e.getMessage(), requestId);
    }

    private static int status(ControlException.Kind kind) {
        return switch (kind) {
            case INVALID -> 400;
            case NOT_FOUND -> 404;
            case CONFLICT -> 409;
            case PRECONDITION -> 412;
            case UNPROCESSABLE -> 422;
            case LOCKED -> 423;
            case TOO_MANY -> 429;
            case UNAVAILABLE, UNCERTAIN -> 503;
            case INTERNAL -> 500;
        };
    }

    /** What the HTTP library refuses itself, an unknown path above all, and a missing key. */
    private static void noRoute(Context context, HttpResponseException e) {
        int status = e.status();
        String message = status == 404
                ? context.method() + " " + context.path() + " is not a route of this API"
                : e.getMessage();
        String code = switch (status) {
            case 401 -> "UNAUTHORIZED";
            case 404 -> "NOT_FOUND";
            case 405 -> "METHOD_NOT_ALLOWED";
            default -> "REFUSED";
        };
        send(context, status, code, message, requestId());
    }

    private static void failed(Context context, Exception e) {
        String requestId = requestId();
        log.error("{} {} failed, request {}", context.method(), context.path(), requestId, e);
        send(
                context,
                500,
                "INTERNAL",
                "an error of the server; its log has the details under request " + requestId,
                requestId);
    }

    private static void send(Context context, int status, String code, @Nullable String message, String requestId) {
        Routes.send(context, status, new Views.Failure(code, message == null ? code : message, requestId));
    }

    private static String requestId() {
        return UUID.randomUUID().toString();
    }
}
