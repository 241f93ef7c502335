package dev.coppice.control.api.server;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import io.avaje.jex.http.Context;
import io.avaje.jex.http.HttpResponseException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets requests in: who has a key, not more often than allowed, and only where the key reaches. The key is looked for in the
 * {@code Authorization} header alone; clients send it in {@code Cookie} too, which is neither read nor logged.
 */
public final class Access {
    /** In the path of every route that belongs to one project. */
    static final String PROJECT = "{project}";

    private static final Logger log = LoggerFactory.getLogger(Access.class);
    private static final String BEARER = "bearer ";
    private static final long NOTE_INTERVAL_SECONDS = 60;

    private final Catalog catalog;
    private final RequestLimiter limiter;
    private final Clock clock;
    private final Map<Long, Instant> noted = new ConcurrentHashMap<>();

    public Access(Catalog catalog, RequestLimiter limiter, Clock clock) {
        this.catalog = catalog;
        this.limiter = limiter;
        this.clock = clock;
    }

    /**
     * Finds out who calls, and keeps that with the request.
     *
     * @throws HttpResponseException 401 without a valid key, 429 above the limits
     */
    public void authenticate(Context context) {
        String address = context.exchange().getRemoteAddress().getAddress().getHostAddress();
        if (!limiter.mayTry(address)) {
            throw tooMany(context, "too many wrong API keys from this address; wait a minute");
        }
        String header = context.header("Authorization");
        if (header == null || !header.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
            throw new HttpResponseException(
                    401, "an API key is needed: send the header \"Authorization: Bearer <key>\"");
        }
        String secret = header.substring(BEARER.length()).strip();
        Optional<ApiKey> key = catalog.inventory().apiKey(Tokens.hash(secret));
        if (key.isEmpty()) {
            limiter.failed(address);
            throw new HttpResponseException(401, "this API key is not valid here");
        }
        if (!limiter.allows(key.get().id())) {
            throw tooMany(context, "too many requests with this API key; slow down");
        }
        noteUse(key.get(), address);
        context.attribute(
                Caller.class,
                new Caller(
                        key.get().id(),
                        key.get().name(),
                        key.get().projectId(),
                        key.get().scope() == ApiKey.Scope.ANONYMIZED,
                        address));
    }

    private static HttpResponseException tooMany(Context context, String message) {
        context.header("Retry-After", "1");
        return new HttpResponseException(429, message);
    }

    /** To a minute: every request must not wait for the catalog, nor write to it. */
    private void noteUse(ApiKey key, String address) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
        Instant before = noted.get(key.id());
        if (before != null && before.plusSeconds(NOTE_INTERVAL_SECONDS).isAfter(now)) {
            return;
        }
        noted.put(key.id(), now);
        Thread.ofVirtual().name("api-key-use").start(() -> {
            try {
                catalog.noteApiKeyUse(key.id(), now, address);
            } catch (ControlException e) {
                log.debug("The use of API key {} was not noted: {}", key.id(), e.getMessage());
            }
        });
    }

    /**
     * Checks that the key reaches what is asked for: a key of a project opens that project's routes, and those that tell
     * nothing about others. It sees no other project, whether or not there is one, and cannot delete its own.
     *
     * @throws ControlException NOT_FOUND or FORBIDDEN
     */
    static void require(Routes.Route route, Call call) {
        Caller caller = call.caller();
        if (caller.projectId() == null) {
            return;
        }
        if (route.path().contains(PROJECT)) {
            if (!caller.sees(call.project())) {
                throw ControlException.notFound("project \"" + call.project() + "\" not found");
            }
            if (route.method().equals("DELETE") && route.path().endsWith(PROJECT)) {
                throw forbidden("an API key of a project cannot delete the project");
            }
            return;
        }
        if (!route.openToProjectKeys()) {
            throw forbidden("this API key opens project \"" + caller.projectId() + "\" only");
        }
    }

    private static ControlException forbidden(String message) {
        return new ControlException(ControlException.Kind.FORBIDDEN, message);
    }
}
