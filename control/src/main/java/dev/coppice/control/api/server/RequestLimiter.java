package dev.coppice.control.api.server;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Limits the requests of each key and the wrong keys of each address, in bounded memory. Thread-safe. */
public final class RequestLimiter {
    private static final int ADDRESSES_MAX = 10_000;

    private final int requestsPerSecond;
    private final int failuresPerMinute;
    private final LongSupplier nanoTime;
    private final Map<Long, Bucket> keys = new ConcurrentHashMap<>();
    private final Map<String, Bucket> addresses = new ConcurrentHashMap<>();

    /**
     * @param requestsPerSecond of one key, twice as many in a burst; 0 = no limit
     * @param failuresPerMinute of one address; 0 = no limit
     */
    public RequestLimiter(int requestsPerSecond, int failuresPerMinute, LongSupplier nanoTime) {
        this.requestsPerSecond = requestsPerSecond;
        this.failuresPerMinute = failuresPerMinute;
        this.nanoTime = nanoTime;
    }

    /** Whether the key may make this request; counts it. */
    boolean allows(long keyId) {
        return requestsPerSecond == 0
                || keys.computeIfAbsent(
                                keyId,
                                _ -> new Bucket(2.0 * requestsPerSecond, requestsPerSecond, nanoTime.getAsLong()))
                        .take(nanoTime.getAsLong());
    }

    /** Whether the address has not sent too many wrong keys. */
    boolean mayTry(String address) {
        Bucket bucket = addresses.get(address);
        return bucket == null || bucket.has(nanoTime.getAsLong());
    }

    /** The address sent a wrong key. */
    void failed(String address) {
        if (failuresPerMinute == 0) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (addresses.size() >= ADDRESSES_MAX) {
            addresses.values().removeIf(bucket -> bucket.isFull(now));
        }
        if (addresses.size() >= ADDRESSES_MAX) {
            // So many addresses at once are one attacker's: a new beginning for all is better than a full memory.
            addresses.clear();
        }
        var _ = addresses
                .computeIfAbsent(
                        address,
                        _ -> new Bucket(
                                failuresPerMinute, failuresPerMinute / (double) TimeUnit.MINUTES.toSeconds(1), now))
                .take(now);
    }

    /** A token bucket. */
    private static final class Bucket {
        private final double capacity;
        private final double perNano;
        private double tokens;
        private long filledAt;

        Bucket(double capacity, double perSecond, long now) {
            this.capacity = capacity;
            this.perNano = perSecond / TimeUnit.SECONDS.toNanos(1);
            this.tokens = capacity;
            this.filledAt = now;
        }

        private void fill(long now) {
            tokens = Math.min(capacity, tokens + (now - filledAt) * perNano);
            filledAt = now;
        }

        synchronized boolean take(long now) {
            fill(now);
            if (tokens < 1) {
                return false;
            }
            tokens -= 1;
            return true;
        }

        synchronized boolean has(long now) {
            fill(now);
            return tokens >= 1;
        }

        synchronized boolean isFull(long now) {
            fill(now);
            return tokens >= capacity;
        }
    }
}
