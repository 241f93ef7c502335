package dev.coppice.control.api.server;

import io.avaje.jex.Jex;
import io.avaje.jex.http.Context;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registers handlers that answer with a {@link Reply}, and keeps the audit log of what they change. */
public final class Routes {
    public static final String BASE = "/api/v2";

    private static final Logger log = LoggerFactory.getLogger(Routes.class);

    private final Jex jex;
    private final RouteMethods methods;
    private final AuditLog audit;
    private final Clock clock;
    private final AnonymizedScope anonymized;
    private final List<Route> registered = new ArrayList<>();
    private final Set<String> openToProjectKeys = new HashSet<>();
    private final Set<String> secrets = new HashSet<>();

    public Routes(Jex jex, RouteMethods methods, AuditLog audit, Clock clock, AnonymizedScope anonymized) {
        this.jex = jex;
        this.methods = methods;
        this.audit = audit;
        this.clock = clock;
        this.anonymized = anonymized;
    }

    /**
     * A route of the API.
     *
     * @param path with its parameters in braces
     * @param openToProjectKeys whether a key of one project may use it although it belongs to no project
     * @param secret whether its answer has a password, so that the audit log has its reading
     */
    record Route(String method, String path, boolean openToProjectKeys, boolean secret) {
        boolean isAudited() {
            return secret || !method.equals("GET");
        }
    }

    /** Answers one request; what it throws becomes an error answer. */
    public interface Handler {
        Reply handle(Call call) throws Exception;
    }

    /** Answers one request with line after line of JSON; what it throws before the first becomes an error answer. */
    public interface LineHandler {
        void handle(Call call, Lines lines) throws Exception;
    }

    /** Everything registered so far. */
    List<Route> registered() {
        return List.copyOf(registered);
    }

    /**
     * The paths (or method, blank and path) registered from now on that a key of one project may use, too, although they
     * belong to no project.
     */
    public Routes openToProjectKeys(String... paths) {
        openToProjectKeys.addAll(List.of(paths));
        return this;
    }

    /** The paths registered from now on whose reading is audited. */
    public Routes secret(String... paths) {
        secrets.addAll(List.of(paths));
        return this;
    }

    public void get(String path, Handler handler) {
        Route route = add("GET", path);
        jex.get(BASE + path, context -> answer(route, context, handler));
    }

    /** A route whose answer takes a while: NDJSON, each line sent when it is known. */
    public void lines(String path, LineHandler handler) {
        Route route = add("GET", path);
        jex.get(BASE + path, context -> {
            Call call = new Call(context);
            try (Lines lines = new Lines(context)) {
                Access.require(route, call);
                anonymized.require(route, call);
                handler.handle(call, lines);
            }
        });
    }

    public void post(String path, Handler handler) {
        Route route = add("POST", path);
        jex.post(BASE + path, context -> answer(route, context, handler));
    }

    public void put(String path, Handler handler) {
        Route route = add("PUT", path);
        jex.put(BASE + path, context -> answer(route, context, handler));
    }

    public void patch(String path, Handler handler) {
        Route route = add("PATCH", path);
        jex.patch(BASE + path, context -> answer(route, context, handler));
    }

    public void delete(String path, Handler handler) {
        Route route = add("DELETE", path);
        jex.delete(BASE + path, context -> answer(route, context, handler));
    }

    private Route add(String method, String path) {
        Route route = new Route(
                method,
                path,
                openToProjectKeys.contains(path) || openToProjectKeys.contains(method + ' ' + path),
                secrets.contains(path));
        registered.add(route);
        methods.add(method, BASE + path);
        return route;
    }

    private void answer(Route route, Context context, Handler handler) {
        long begun = System.nanoTime();
        String requestId = requestId();
        Call call = new Call(context);
        Reply reply;
        try {
            // Also where no handler asks for it: a body that is not read counts as a request that has not ended.
            call.readBody();
            Access.require(route, call);
            anonymized.require(route, call);
            reply = handler.handle(call);
        } catch (Exception e) {
            reply = Failures.reply(context, e, requestId);
        }
        if (route.isAudited()) {
            Caller caller = call.caller();
            audit.note(new AuditLog.Entry(
                    clock.instant(),
                    requestId,
                    caller.keyId(),
                    caller.keyName(),
                    caller.address(),
                    route.method(),
                    route.path(),
                    context.path(),
                    reply.status(),
                    reply.body() instanceof Failure failure ? failure.message() : null,
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)));
        }
        send(context, reply, requestId);
    }

    public static String requestId() {
        return UUID.randomUUID().toString();
    }

    public static void send(Context context, Reply reply, String requestId) {
        context.status(reply.status())
                .header("X-Request-Id", requestId)
                // Answers are for who asked: no cache keeps them, and no browser takes them for a page.
                .header("Cache-Control", "no-store")
                .header("X-Content-Type-Options", "nosniff");
        reply.headers().forEach(context::header);
        send(context, Json.write(reply.body()));
    }

    /** Sends JSON, if anybody still reads it and nothing was sent. */
    public static void send(Context context, byte[] json) {
        if (context.exchange().getResponseCode() >= 0) {
            return;
        }
        try {
            context.contentType("application/json").write(json);
        } catch (UncheckedIOException gone) {
            log.debug("{} {}: the client has gone", context.method(), context.path(), gone);
        }
    }
}
