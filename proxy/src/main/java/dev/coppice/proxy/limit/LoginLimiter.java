package dev.coppice.proxy.limit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Counts connection attempts in leaky buckets: one per address and one per endpoint, each holding what two seconds (for
 * wrong passwords: one minute) may bring. Remembers a bounded number of them; used on any thread.
 */
public final class LoginLimiter {
    private static final int MAX_REMEMBERED = 100_000;
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(10);
    private static final int BURST_SECONDS = 2;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double SECONDS_PER_MINUTE = 60;

    /** Leaks evenly; guarded by itself. */
    private static final class Bucket {
        private double level;
        private long atNanos;

        Bucket(long nowNanos) {
            this.atNanos = nowNanos;
        }

        synchronized boolean full(double perSecond, double capacity, long nowNanos) {
            leak(perSecond, nowNanos);
            return level + 1 > capacity;
        }

        synchronized boolean add(double perSecond, double capacity, long nowNanos) {
            leak(perSecond, nowNanos);
            if (level + 1 > capacity) {
                return false;
            }
            level++;
            return true;
        }

        private void leak(double perSecond, long nowNanos) {
            level = Math.max(0, level - (nowNanos - atNanos) / NANOS_PER_SECOND * perSecond);
            atNanos = nowNanos;
        }
    }

    private volatile RateLimits limits;
    private final LongSupplier nanoTime;
    private final Cache<String, Bucket> buckets = Caffeine.newBuilder()
            .maximumSize(MAX_REMEMBERED)
            .expireAfterAccess(FORGOTTEN_AFTER)
            .build();

    /** @param nanoTime as {@link System#nanoTime} */
    public LoginLimiter(RateLimits limits, LongSupplier nanoTime) {
        this.limits = limits;
        this.nanoTime = nanoTime;
    }

    /** These count from now on; what the buckets hold stays in them. */
    public void limits(RateLimits now) {
        limits = now;
    }

    /** Counts an attempt; false when the address makes too many, or has guessed too many passwords. */
    public boolean attempt(InetAddress address) {
        return !guesses(address)
                && add("address " + ClientNetwork.of(address), limits.attemptsPerAddress(), nanoTime.getAsLong());
    }

    /** Whether the address has guessed too many passwords. Counts nothing. */
    public boolean guesses(InetAddress address) {
        long now = nanoTime.getAsLong();
        double perSecond = limits.failuresPerAddress() / SECONDS_PER_MINUTE;
        return limits.failuresPerAddress() > 0
                && bucket("failures " + ClientNetwork.of(address), now)
                        .full(perSecond, limits.failuresPerAddress(), now);
    }

    /** Counts an attempt; false when the endpoint is asked for too often. */
    public boolean attempt(String endpointId) {
        return add("endpoint " + endpointId, limits.attemptsPerEndpoint(), nanoTime.getAsLong());
    }

    /** Counts a wrong password. */
    public void failure(InetAddress address) {
        if (limits.failuresPerAddress() > 0) {
            long now = nanoTime.getAsLong();
            bucket("failures " + ClientNetwork.of(address), now)
                    .add(limits.failuresPerAddress() / SECONDS_PER_MINUTE, limits.failuresPerAddress(), now);
        }
    }

    private boolean add(String name, int perSecond, long now) {
        return perSecond == 0 || bucket(name, now).add(perSecond, (double) perSecond * BURST_SECONDS, now);
    }

    private Bucket bucket(String name, long now) {
        return buckets.get(name, _ -> new Bucket(now));
    }
}
