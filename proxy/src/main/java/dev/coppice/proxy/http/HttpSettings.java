package dev.coppice.proxy.http;

/**
 * Limits of SQL over HTTP.
 *
 * @param enabled whether HTTP and WebSockets are answered at all
 * @param maxRequestBytes of a request's body
 * @param maxResponseBytes of a response's body; a result that is larger is not sent
 * @param maxHeldBytes of all bodies that are in memory at one time; who needs more is told to try again
 */
public record HttpSettings(boolean enabled, int maxRequestBytes, int maxResponseBytes, long maxHeldBytes) {
    private static final int MEGABYTE = 1 << 20;

    /** The rest is for everything else, and for what becomes of a body while it is parsed. */
    private static final int SHARE_OF_MEMORY = 4;

    /** As shipped. */
    public static final HttpSettings DEFAULTS = ofMegabytes(true, 10, 10);

    /** Checks ranges. */
    public HttpSettings {
        if (maxRequestBytes < 1 || maxResponseBytes < 1 || maxHeldBytes < 1) {
            throw new IllegalArgumentException("the limits of proxy.http must be positive");
        }
    }

    /** With limits in megabytes, 1 to 1024, and a quarter of the memory for all together. */
    public static HttpSettings ofMegabytes(boolean enabled, int maxRequest, int maxResponse) {
        return new HttpSettings(
                enabled,
                Math.multiplyExact(maxRequest, MEGABYTE),
                Math.multiplyExact(maxResponse, MEGABYTE),
                Runtime.getRuntime().maxMemory() / SHARE_OF_MEMORY);
    }
}
