package dev.coppice.control.activity;

import dev.coppice.compute.ComputeListener;
import dev.coppice.control.catalog.Inventory;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Wakes endpoints whose compute has crashed, to read what the crash hid: roles that were changed in the last second before
 * it died are known to its WAL only. One that crashes again within the pause is left alone. Thread-safe.
 */
public final class CrashRewake implements ComputeListener, AutoCloseable {
    private static final long PAUSE_SECONDS = 30;

    private final Inventory inventory;
    private final Clock clock;
    private final Consumer<String> wake;
    private final Map<String, Instant> lastCrash = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /** @param wake of an endpoint; blocks, and is called on a thread of its own */
    public CrashRewake(Inventory inventory, Clock clock, Consumer<String> wake) {
        this.inventory = inventory;
        this.clock = clock;
        this.wake = wake;
    }

    @Override
    public void woken(String endpointId) {}

    @Override
    public void suspended(String endpointId) {}

    @Override
    public void crashed(String endpointId, String reason) {
        Instant now = clock.instant();
        Instant before = lastCrash.put(endpointId, now);
        boolean again = before != null && before.plusSeconds(PAUSE_SECONDS).isAfter(now);
        if (!closed && !again && inventory.endpoint(endpointId).isPresent()) {
            Thread.ofVirtual().name("rewake-" + endpointId).start(() -> wake.accept(endpointId));
        }
    }

    /** Wakes nothing any more. */
    @Override
    public void close() {
        closed = true;
    }
}
