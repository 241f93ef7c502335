package dev.coppice.control.api.server;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.Tokens;
import dev.coppice.control.session.Session;
import dev.coppice.control.session.Sessions;
import dev.coppice.control.session.SignInLinks;
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
 * Lets requests in: who has a key or a session of the console, not more often than allowed, and only where the key reaches. The key is
 * looked for in the {@code Authorization} header alone; clients send it in {@code Cookie} too, which is not read for that, nor logged.
 */
public final class Access {
    /** In the path of every route that belongs to one project. */
    static final String PROJECT = "{project}";

    /** Where a key or a link's secret is exchanged for a session. */
    public static final String SESSIONS = "/console/sessions";

    private static final Logger log = LoggerFactory.getLogger(Access.class);
    private static final String BEARER = "bearer ";
    private static final long NOTE_INTERVAL_SECONDS = 60;

    /** Only a page of this server can send it without being asked first what it wants. */
    private static final String OWN_PAGE = "X-Coppice";

    private final Catalog catalog;
    private final RequestLimiter limiter;
    private final Clock clock;
    private final Sessions sessions;
    private final SignInLinks links;
    private final SessionCookie cookie;
    private final Map<Long, Instant> noted = new ConcurrentHashMap<>();

    public Access(
            Catalog catalog,
            RequestLimiter limiter,
            Clock clock,
            Sessions sessions,
            SignInLinks links,
            SessionCookie cookie) {
        this.catalog = catalog;
        this.limiter = limiter;
        this.clock = clock;
        this.sessions = sessions;
        this.links = links;
        this.cookie = cookie;
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
        Optional<Session> session = header == null ? session(context) : Optional.empty();
        Optional<ApiKey> key = session.isPresent()
                ? keyOf(session.get())
                : header == null ? Optional.empty() : keyOf(context, header, address);
        if (key.isEmpty()) {
            throw new HttpResponseException(
                    401, "an API key is needed: send the header \"Authorization: Bearer <key>\"");
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
                        address,
                        session.map(Session::id).orElse(null)));
    }

    /**
     * The session of a request that has no key.
     *
     * @throws ControlException FORBIDDEN when the request does not come from a page of this server
     */
    private Optional<Session> session(Context context) {
        Optional<Session> session = cookie.of(context).flatMap(sessions::use);
        if (session.isPresent() && !isFromOwnPage(context)) {
            throw forbidden("a session of the console is for the console's own page only; others use an API key");
        }
        return session;
    }

    /** Browsers say where a request comes from; without TLS, beyond this machine, some say it only of requests that change something. */
    private static boolean isFromOwnPage(Context context) {
        if (!"1".equals(context.header(OWN_PAGE))) {
            return false;
        }
        String site = context.header("Sec-Fetch-Site");
        if (site != null) {
            return site.equals("same-origin");
        }
        String origin = context.header("Origin");
        return origin == null || origin.substring(origin.indexOf("//") + 2).equals(context.header("Host"));
    }

    /** Whoever has a session of a key that was revoked meanwhile has none. */
    private Optional<ApiKey> keyOf(Session session) {
        Optional<ApiKey> key = catalog.inventory().apiKey(session.keyId());
        if (key.isEmpty()) {
            sessions.end(session.id());
        }
        return key;
    }

    /** By the key itself, or, where sessions begin, by the secret of a link that the key asked for. */
    private Optional<ApiKey> keyOf(Context context, String header, String address) {
        if (!header.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
            return Optional.empty();
        }
        String secret = header.substring(BEARER.length()).strip();
        Optional<ApiKey> key;
        if (Tokens.isLink(secret)) {
            boolean signsIn = context.path().equals(Routes.BASE + SESSIONS)
                    && context.method().equals("POST");
            key = signsIn ? links.redeem(secret).flatMap(catalog.inventory()::apiKey) : Optional.empty();
        } else {
            key = catalog.inventory().apiKey(Tokens.hash(secret));
        }
        if (key.isEmpty()) {
            limiter.failed(address);
            throw new HttpResponseException(
                    401,
                    Tokens.isLink(secret)
                            ? "this sign-in link was used or is too old; run coppice console for a new one"
                            : "this API key is not valid here");
        }
        return key;
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
