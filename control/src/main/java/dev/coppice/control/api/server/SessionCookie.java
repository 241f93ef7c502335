package dev.coppice.control.api.server;

import dev.coppice.control.session.Session;
import io.avaje.jex.http.Context;
import java.util.Optional;

/**
 * The cookie of a session: no script reads it, and no other site's page makes a browser send it. Browsers keep cookies by host and not
 * by port, so that without TLS, on one machine, each server's has its port in the name.
 */
public final class SessionCookie {
    private final boolean tls;

    /** @param tls whether the API speaks it */
    public SessionCookie(boolean tls) {
        this.tls = tls;
    }

    private String name(int port) {
        return tls ? "__Host-coppice" : "coppice-" + port;
    }

    /** The header that gives the browser a session. */
    public String holding(String secret, int port) {
        return name(port) + '=' + secret + "; Max-Age=" + Session.LONGEST.toSeconds() + attributes();
    }

    /** The header that takes it away. */
    public String none(int port) {
        return name(port) + "=; Max-Age=0" + attributes();
    }

    private String attributes() {
        return "; Path=/; HttpOnly; SameSite=Strict" + (tls ? "; Secure" : "");
    }

    /** A session's secret, when the request has one. */
    Optional<String> of(Context context) {
        String name = name(context.exchange().getLocalAddress().getPort());
        return Optional.ofNullable(context.cookie(name)).filter(secret -> !secret.isEmpty());
    }
}
