package dev.coppice.proxy.pool;

import com.github.benmanes.caffeine.cache.Interner;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.relay.ComputeAccess;

/**
 * What all pools share; everything in it may be used on any thread.
 *
 * @param statements makes equal prepared statements of different clients the same object, as long as one has it
 */
record PoolShared(
        Pools pools,
        PoolSettings settings,
        ComputeAccess access,
        CancelKeys cancelKeys,
        PoolMetrics metrics,
        Interner<PreparedStatement> statements) {}
