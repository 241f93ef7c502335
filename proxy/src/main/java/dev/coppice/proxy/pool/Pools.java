package dev.coppice.proxy.pool;

import com.github.benmanes.caffeine.cache.Interner;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.relay.ComputeAccess;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pools of all endpoints that are in use. May be used on any thread. */
public final class Pools {
    private static final Logger log = LoggerFactory.getLogger(Pools.class);

    private static final long MAX_HEARING_MILLIS = 5000;

    private record Entry(EndpointPool pool, int clients) {}

    private final Map<String, Entry> pools = new ConcurrentHashMap<>();
    private final EventLoopGroup loops;
    private final PoolShared shared;

    /** @param loops where the pools get their home loops */
    public Pools(
            EventLoopGroup loops,
            PoolSettings settings,
            ComputeAccess access,
            CancelKeys cancelKeys,
            PoolMetrics metrics) {
        this.loops = loops;
        this.shared = new PoolShared(
                this, new AtomicReference<>(settings), access, cancelKeys, metrics, Interner.newWeakInterner());
    }

    /**
     * Takes a client who has proved his password: appends its session to the pipeline, where it collects what comes. To be
     * called on the channel's loop; {@link #move} must follow.
     *
     * @param parameters of the compute's startup packet
     */
    public PooledSession take(
            Channel client,
            PooledSession.Host host,
            String endpointId,
            Map<String, String> parameters,
            ScramKeys keys) {
        Entry entry = pools.compute(
                endpointId,
                (id, found) -> found == null
                        ? new Entry(new EndpointPool(id, loops.next(), shared), 1)
                        : new Entry(found.pool, found.clients + 1));
        PooledSession session = new PooledSession(client, host, entry.pool, new PoolKey(parameters), keys);
        client.pipeline().addLast(session);
        return session;
    }

    /** Brings the client to the pool's home loop, where its session starts. */
    public void move(Channel client, PooledSession session) {
        EventLoop home = session.pool().loop();
        if (home.inEventLoop()) {
            session.start();
            return;
        }
        client.deregister()
                .addListener(_ -> home.register(client).addListener(registered -> {
                    if (registered.isSuccess()) {
                        session.start();
                    } else {
                        log.debug("a client left while it moved to its pool", registered.cause());
                        client.close();
                        left(session.pool());
                    }
                }));
    }

    /** These limits count from now on; more server connections than they allow are closed when they come back. */
    public void settings(PoolSettings now) {
        shared.currentSettings().set(now);
    }

    /**
     * Runs it, on this loop, when the pooled clients of the endpoint that listen hear what a session with its compute may notify.
     * To be called on the loop, when the compute has accepted the session. Mostly nobody listens, and it runs at once.
     */
    public void beforeSession(String endpointId, EventLoop loop, Runnable then) {
        Entry entry = pools.get(endpointId);
        if (entry == null || !entry.pool.hubs().inUse()) {
            then.run();
            return;
        }
        AtomicBoolean run = new AtomicBoolean();
        Runnable once = () -> {
            if (run.compareAndSet(false, true)) {
                then.run();
            }
        };
        // A hub that cannot be connected must not keep others out for long.
        loop.schedule(once, MAX_HEARING_MILLIS, TimeUnit.MILLISECONDS);
        entry.pool.loop().execute(() -> entry.pool.hubs().reconnect(() -> loop.execute(once)));
    }

    void left(EndpointPool pool) {
        pools.computeIfPresent(
                pool.endpointId(), (_, entry) -> entry.pool == pool ? new Entry(entry.pool, entry.clients - 1) : entry);
    }

    /** @return whether it is gone from here */
    boolean removeIfUnused(EndpointPool pool) {
        Entry left = pools.computeIfPresent(
                pool.endpointId(), (_, entry) -> entry.pool == pool && entry.clients == 0 ? null : entry);
        return left == null;
    }

    /** Closes the connections that no client uses; the others end with their clients. */
    public void close() {
        pools.values().forEach(entry -> entry.pool.loop().execute(entry.pool::close));
    }
}
