package dev.coppice.proxy.session;

import java.util.Locale;

/** What became of a connection; a metric label and part of its log line. */
enum Outcome {
    /** It became a session. */
    SESSION,
    /** It carried a cancel request. */
    CANCEL,
    /** The client left before it was let in. */
    CLIENT_LEFT,
    /** Bytes that are not the protocol, or a TLS handshake that failed. */
    PROTOCOL,
    /** Not enough came within the handshake deadline. */
    TIMEOUT,
    /** Over the limit of connections. */
    TOO_MANY,
    /** In clear where TLS is required. */
    INSECURE,
    /** From an address that may not connect. */
    NOT_ALLOWED,
    /** Too many attempts, or wrong passwords, from its address, or too many for its endpoint. */
    RATE_LIMITED,
    /** It does not say, or contradicts itself on, where it wants to go. */
    NO_ROUTE,
    /** Wrong password; or no such role, endpoint or branch. */
    WRONG_PASSWORD,
    /** The compute could not be started, or not reached. */
    WAKE_FAILED,
    /** The compute refused the login: no such database, say. */
    COMPUTE_REFUSED,
    /** The proxy stopped before it was let in. */
    SHUTDOWN,
    /** A fault of the proxy or its directory. */
    INTERNAL;

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
