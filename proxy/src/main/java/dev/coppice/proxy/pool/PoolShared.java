package dev.coppice.proxy.pool;

import com.github.benmanes.caffeine.cache.Interner;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.pool.statement.StatementKey;
import dev.coppice.proxy.relay.ComputeAccess;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What all pools share; everything in it may be used on any thread.
 *
 * @param currentSettings replaced as a whole when the configuration is read again
 * @param statements makes equal statements of different clients the same object, as long as one has it
 */
record PoolShared(
        Pools pools,
        AtomicReference<PoolSettings> currentSettings,
        ComputeAccess access,
        CancelKeys cancelKeys,
        PoolMetrics metrics,
        Interner<StatementKey> statements) {

    PoolSettings settings() {
        return currentSettings.get();
    }
}
