package dev.coppice.common;

/**
 * Nagle's algorithm in the JDK's HTTP server. With it the end of an answer that does not fit into one segment waits until the client
 * has acknowledged its beginning, which the client's kernel puts off for 40 ms.
 */
public final class HttpServerDelay {
    private static final String PROPERTY = "sun.net.httpserver.nodelay";

    private HttpServerDelay() {}

    /**
     * Turns it off for every server of this process, unless the property is set already. The JDK reads it once, when the first
     * server is made: whoever makes one calls this before.
     */
    public static void off() {
        if (System.getProperty(PROPERTY) == null) {
            System.setProperty(PROPERTY, "true");
        }
    }
}
