package dev.coppice.common.http;

/**
 * The limits of the JDK's HTTP server, which has them as system properties and reads them once, when the first server of the
 * process is made: whoever makes one calls {@link #apply} before. What is set already stays.
 */
public final class HttpServerLimits {
    /** Seconds from a connection's first byte to the end of the request's body; and until the first byte. */
    private static final String REQUEST_SECONDS = "30";

    /** Seconds that a connection may stay open between two requests. */
    private static final String IDLE_SECONDS = "30";

    /** Connections of one server at once; one more is closed. */
    private static final String CONNECTIONS = "1000";

    private HttpServerLimits() {}

    /** Sets what is not set yet. */
    public static void apply() {
        set("sun.net.httpserver.maxReqTime", REQUEST_SECONDS);
        set("sun.net.httpserver.idleInterval", IDLE_SECONDS);
        set("jdk.httpserver.maxConnections", CONNECTIONS);
        // With Nagle's algorithm the end of an answer that does not fit into one segment waits until the client has
        // acknowledged
        // its beginning, which the client's kernel puts off for 40 ms.
        set("sun.net.httpserver.nodelay", "true");
    }

    private static void set(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
