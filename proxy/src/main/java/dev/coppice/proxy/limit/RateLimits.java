package dev.coppice.proxy.limit;

/**
 * Rates and numbers above which connection attempts are refused; 0 means no limit.
 *
 * @param attemptsPerAddress logins begun from one address (IPv6: one /64), per second
 * @param attemptsPerEndpoint logins begun for one endpoint, per second
 * @param failuresPerAddress wrong passwords from one address, per minute
 * @param unauthenticatedPerAddress connections from one address that have proved no password yet, at one time
 */
public record RateLimits(
        int attemptsPerAddress, int attemptsPerEndpoint, int failuresPerAddress, int unauthenticatedPerAddress) {
    /** As shipped: no honest client without a pool gets there. */
    public static final RateLimits DEFAULTS = new RateLimits(1000, 2000, 100, 2000);

    /** Checks ranges. */
    public RateLimits {
        if (attemptsPerAddress < 0
                || attemptsPerEndpoint < 0
                || failuresPerAddress < 0
                || unauthenticatedPerAddress < 0) {
            throw new IllegalArgumentException("the limits of proxy.rate_limits must be at least 0");
        }
    }
}
