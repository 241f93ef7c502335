package dev.coppice.control.api.console;

import dev.coppice.control.api.server.Access;
import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Caller;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.server.SessionCookie;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.session.Session;
import dev.coppice.control.session.Sessions;
import dev.coppice.control.session.SignInLinks;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Signing in at the console, and out: an API key, or a link that one asked for, becomes a session. */
public final class SessionRoutes {
    private static final String SESSIONS = Access.SESSIONS;
    private static final String CURRENT = "/console/session";
    private static final String LINKS = "/console/links";

    private final Inventory inventory;
    private final Sessions sessions;
    private final SignInLinks links;
    private final SessionCookie cookie;

    public SessionRoutes(Inventory inventory, Sessions sessions, SignInLinks links, SessionCookie cookie) {
        this.inventory = inventory;
        this.sessions = sessions;
        this.links = links;
        this.cookie = cookie;
    }

    /**
     * A session.
     *
     * @param scope of its API key: full or anonymized
     * @param projectId the only project that the key opens
     * @param current whether it is that of the request
     * @param expiresAt when it ends if it is not used any more
     */
    record View(
            long id,
            long keyId,
            String keyName,
            String scope,
            @Nullable String projectId,
            Instant createdAt,
            Instant lastUsedAt,
            Instant expiresAt,
            String address,
            String client,
            boolean current) {}

    record One(View session) {}

    record All(List<View> sessions) {}

    /** @param path below the server's address; the secret in it is good once, until it expires */
    record Link(String path, Instant expiresAt) {}

    public void register(Routes routes) {
        routes.openToProjectKeys(SESSIONS, CURRENT, LINKS, SESSIONS + "/{name}");
        routes.post(SESSIONS, this::begin);
        routes.get(SESSIONS, this::list);
        routes.delete(SESSIONS + "/{name}", this::revoke);
        routes.get(CURRENT, call -> Reply.ok(new One(view(current(call), call))));
        routes.delete(CURRENT, this::end);
        routes.post(LINKS, call -> {
            SignInLinks.Made made = links.make(call.caller().keyId());
            return Reply.created(new Link("/console/#link=" + made.secret(), made.expiresAt()));
        });
    }

    /** Always another session than the one that the browser may have: nobody can have planted it. */
    private Reply begin(Call call) {
        Caller caller = call.caller();
        Optional.ofNullable(caller.sessionId()).ifPresent(sessions::end);
        Sessions.Begun begun = sessions.begin(
                caller.keyId(), caller.address(), Objects.requireNonNullElse(call.header("User-Agent"), ""));
        return Reply.created(new One(view(begun.session(), call)))
                .with("Set-Cookie", cookie.holding(begun.secret(), call.localPort()));
    }

    /** Who may make keys sees all; others those of their own key. */
    private Reply list(Call call) {
        return Reply.ok(new All(sessions.list().stream()
                .filter(session -> mayEnd(call, session))
                .map(session -> view(session, call))
                .toList()));
    }

    private static boolean mayEnd(Call call, Session session) {
        Caller caller = call.caller();
        return session.keyId() == caller.keyId() || (caller.projectId() == null && !caller.anonymizedOnly());
    }

    private Session current(Call call) {
        Long id = call.caller().sessionId();
        return sessions.list().stream()
                .filter(session -> id != null && session.id() == id)
                .findFirst()
                .orElseThrow(() -> ControlException.notFound("this request came with an API key, not with a session"));
    }

    private Reply end(Call call) {
        Session session = current(call);
        sessions.end(session.id());
        return Reply.ok(new One(view(session, call))).with("Set-Cookie", cookie.none(call.localPort()));
    }

    private Reply revoke(Call call) {
        String name = call.name();
        Session session = sessions.list().stream()
                .filter(each -> Long.toString(each.id()).equals(name) && mayEnd(call, each))
                .findFirst()
                .orElseThrow(() -> ControlException.notFound("session \"" + name + "\" not found"));
        sessions.end(session.id());
        return Reply.ok(new One(view(session, call)));
    }

    private View view(Session session, Call call) {
        Optional<ApiKey> key = inventory.apiKey(session.keyId());
        Long current = call.caller().sessionId();
        return new View(
                session.id(),
                session.keyId(),
                key.map(ApiKey::name).orElse(""),
                key.map(ApiKey::scope).orElse(ApiKey.Scope.ANONYMIZED).text(),
                key.map(ApiKey::projectId).orElse(null),
                session.createdAt(),
                session.lastUsedAt(),
                session.expiresAt(),
                session.address(),
                session.client(),
                current != null && current == session.id());
    }
}
