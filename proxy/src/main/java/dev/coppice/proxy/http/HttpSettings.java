package dev.coppice.proxy.http;

/**
 * Limits of SQL over HTTP.
 *
 * @param enabled whether HTTP and WebSockets are answered at all
 * @param maxRequestBytes of a request's body
 * @param maxResponseBytes of a response's body; a result that is larger is not sent
 */
public record HttpSettings(boolean enabled, int maxRequestBytes, int maxResponseBytes) {
    private static final int MEGABYTE = 1 << 20;

    /** As shipped. */
    public static final HttpSettings DEFAULTS = new HttpSettings(true, 10 * MEGABYTE, 10 * MEGABYTE);

    /** Checks ranges. */
    public HttpSettings {
        if (maxRequestBytes < 1 || maxResponseBytes < 1) {
            throw new IllegalArgumentException("the limits of proxy.http must be positive");
        }
    }

    /** With limits in megabytes, 1 to 1024. */
    public static HttpSettings ofMegabytes(boolean enabled, int maxRequest, int maxResponse) {
        return new HttpSettings(
                enabled, Math.multiplyExact(maxRequest, MEGABYTE), Math.multiplyExact(maxResponse, MEGABYTE));
    }
}
