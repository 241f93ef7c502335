package dev.coppice.proxy.pool;

import dev.coppice.common.LogText;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.cancel.CancelTarget;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pool.server.ErrorText;
import dev.coppice.proxy.pool.server.LoginState;
import dev.coppice.proxy.pool.server.ServerParameters;
import dev.coppice.proxy.pool.statement.ServerStatements;
import dev.coppice.proxy.relay.ComputeConnector;
import dev.coppice.proxy.relay.ComputeDial;
import dev.coppice.proxy.relay.ComputeGreeting;
import dev.coppice.proxy.relay.ComputeLoginException;
import dev.coppice.proxy.route.ComputeSocket;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server connections of one endpoint, and the clients that wait for one, first come first served. Confined to its
 * home loop.
 *
 * <p>Connections are told apart by {@link PoolKey}; the limit counts them together, so the clients of one key may have
 * to wait until an idle connection of another is closed for them.
 */
final class EndpointPool {
    private static final Logger log = LoggerFactory.getLogger(EndpointPool.class);
    /**
     * A client of another key who has waited this long gets a connection at the cost of one that is in use. So that keys who all have
     * more clients than connections do not log in all the time, one that has a connection gets the next only this long after
     * the last that changed hands.
     */
    private static final long FAIR_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** After this long without use the compute may be about to be suspended; it is asked for again. */
    private static final long TOUCH_NANOS = TimeUnit.SECONDS.toNanos(1);

    /**
     * Idle connections whose clients have all gone are closed after this long: so there are none when somebody drops or renames the
     * database, for which Postgres waits 5 s.
     */
    private static final long ABANDONED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long FULL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SWEEP_MILLIS = 1000;
    private static final long RETRY_MILLIS = 100;

    private final String endpointId;
    private final EventLoop loop;
    private final PoolShared shared;
    private final ServerPools serverPools = new ServerPools();
    private final SequencedSet<PooledSession> waiting = new LinkedHashSet<>();
    private final Logins logins;
    private final NotificationHubs hubs;
    private final ServerLimit servers;
    private boolean touching;
    private boolean retrying;
    private long takenNanos = System.nanoTime() - FAIR_NANOS;
    private long usedNanos = System.nanoTime() - TOUCH_NANOS;

    EndpointPool(String endpointId, EventLoop loop, PoolShared shared) {
        this.endpointId = endpointId;
        this.loop = loop;
        this.shared = shared;
        this.logins = new Logins(this, serverPools, shared);
        this.hubs = new NotificationHubs(this, shared);
        this.servers = new ServerLimit(endpointId, shared::settings, shared.metrics());
        loop.schedule(this::sweep, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    }

    String endpointId() {
        return endpointId;
    }

    EventLoop loop() {
        return loop;
    }

    PoolMetrics metrics() {
        return shared.metrics();
    }

    CancelKeys cancelKeys() {
        return shared.cancelKeys();
    }

    /** @return what the session is to keep, and to say when it is asked for its server pool */
    ServerPool entered(PooledSession session) {
        ServerPool serverPool = serverPools.of(session.key());
        serverPool.clients++;
        metrics().clients.incrementAndGet();
        return serverPool;
    }

    void left(PooledSession session) {
        hubs.leave(session);
        session.serverPool().clients--;
        metrics().clients.decrementAndGet();
        shared.pools().left(this);
    }

    /** A free connection; or null, and {@link PooledSession#assigned} or {@link PooledSession#fail} follows. */
    @Nullable
    PooledServer acquire(PooledSession session) {
        ServerPool serverPool = session.serverPool();
        long now = System.nanoTime();
        boolean fresh = now - usedNanos < TOUCH_NANOS;
        usedNanos = now;
        if (fresh && !touching && waiting.isEmpty()) {
            PooledServer free = serverPool.takeIdle(session.settings());
            if (free != null) {
                return free;
            }
        }
        if (waiting.size() >= shared.settings().maxWaiting()) {
            metrics().overflows.mark();
            session.fail(PgError.of(
                    SqlState.TOO_MANY_CONNECTIONS,
                    "too many clients wait for a server connection",
                    "All " + servers.count()
                            + " server connections of the endpoint are busy. Keep transactions short, or raise"
                            + " proxy.pool.max_server_connections."));
            return null;
        }
        session.waits(now);
        waiting.add(session);
        serverPool.waiting.add(session);
        metrics().waiting.incrementAndGet();
        if (!fresh) {
            touch();
        } else if (!touching && serverPool.idle.isEmpty()) {
            serve(session, serverPool);
        } else if (!touching) {
            // Not at once: the session is not ready to be given one before this returns.
            loop.execute(this::serve);
        }
        return null;
    }

    /** Asks for the compute, so that it is not taken for idle, and is awake when it is used. */
    private void touch() {
        if (touching) {
            return;
        }
        touching = true;
        CompletionStage<ComputeSocket> waking;
        try {
            waking = shared.access().directory().wake(endpointId);
        } catch (RuntimeException e) {
            // The dial will run into it again, and say so.
            log.debug("wake of {}", LogText.field(endpointId), e);
            touching = false;
            loop.execute(this::serve);
            return;
        }
        waking.whenCompleteAsync(
                (_, _) -> {
                    touching = false;
                    serve();
                },
                loop);
    }

    /** Gives idle connections to those who wait, and opens new ones as far as is allowed. */
    private void serve() {
        for (PooledSession session : List.copyOf(waiting)) {
            if (waiting.contains(session)) {
                serve(session, session.serverPool());
            }
        }
    }

    private void serve(PooledSession session, ServerPool serverPool) {
        PooledServer free = serverPool.takeIdle(session.settings());
        if (free != null) {
            give(free, session);
        } else if (serverPool.opening < serverPool.waiting.size()
                && System.nanoTime() - serverPool.openAgainNanos >= 0
                && (!servers.reached() || closeIdleOfOthers(serverPool))) {
            open(session);
        }
    }

    private boolean closeIdleOfOthers(ServerPool but) {
        long now = System.nanoTime();
        boolean spared = false;
        for (ServerPool serverPool : serverPools.all()) {
            PooledServer victim = serverPool == but ? null : serverPool.idle.peekFirst();
            if (victim == null) {
                continue;
            }
            boolean inUse = now - victim.idleSinceNanos() <= FAIR_NANOS;
            if (inUse && !mayTake(but, now)) {
                spared = true;
                continue;
            }
            takenNanos = inUse ? now : takenNanos;
            forget(victim);
            victim.channel().close();
            return true;
        }
        if (spared) {
            retry();
        }
        return false;
    }

    /** Whether clients of the server pool may have a connection that those of another would use. */
    private boolean mayTake(ServerPool serverPool, long now) {
        return serverPool.servers == 0 || now - takenNanos > FAIR_NANOS;
    }

    private void retry() {
        if (!retrying) {
            retrying = true;
            loop.schedule(
                    () -> {
                        retrying = false;
                        serve();
                    },
                    FAIR_NANOS,
                    TimeUnit.NANOSECONDS);
        }
    }

    private void give(PooledServer server, PooledSession session) {
        stopWaiting(session);
        session.assigned(server);
    }

    /** The session does not want a connection any more. */
    void stopWaiting(PooledSession session) {
        if (waiting.remove(session)) {
            session.serverPool().waiting.remove(session);
            metrics().waiting.decrementAndGet();
        }
    }

    private void open(PooledSession session) {
        ComputeDial.start(
                shared.access(), loop, endpointId, session.key().parameters(), session.keys(), opening(session));
    }

    /** Counts a connection that is being opened for a session, and hears what has become of it. */
    ComputeDial.Listener opening(PooledSession session) {
        ServerPool serverPool = session.serverPool();
        serverPool.opening++;
        serverPool.servers++;
        servers.opening();
        return new ComputeDial.Listener() {
            @Override
            public void opened(Channel compute, ComputeSocket socket, ComputeGreeting greeting) {
                serverPool.opening--;
                EndpointPool.this.opened(session, serverPool, compute, socket, greeting);
            }

            @Override
            public void refused(ComputeLoginException.Refused refusal) {
                notOpened(serverPool);
                boolean tooMany = refusal.sqlState().equals(SqlState.TOO_MANY_CONNECTIONS.code());
                if (tooMany && ErrorText.isOwnLimit(refusal.frame()) && serverPool.servers > 0) {
                    // As many as the role or the database may have: one of them will be free.
                    serverPool.openAgainNanos = System.nanoTime() + FULL_NANOS;
                    return;
                }
                if (tooMany && !ErrorText.isOwnLimit(refusal.frame()) && servers.count() > 0) {
                    log.warn(
                            "the compute of endpoint {} has no connection left for its pool",
                            LogText.field(endpointId));
                    return;
                }
                stopWaiting(session);
                session.refused(refusal.sqlState(), refusal.frame());
                serve();
            }

            @Override
            public void failed(PgError error) {
                notOpened(serverPool);
                for (PooledSession waiter : List.copyOf(serverPool.waiting)) {
                    stopWaiting(waiter);
                    waiter.fail(error);
                    waiter.proceed();
                }
            }
        };
    }

    private void notOpened(ServerPool serverPool) {
        serverPool.opening--;
        serverPool.servers--;
        servers.gone();
    }

    private void opened(
            PooledSession session,
            ServerPool serverPool,
            Channel compute,
            ComputeSocket socket,
            ComputeGreeting greeting) {
        byte[] parameters = ByteBufUtil.getBytes(greeting.passed());
        ServerParameters reported = new ServerParameters(greeting.passed());
        greeting.passed().release();
        PooledServer server = new PooledServer(
                this,
                serverPool,
                compute,
                greeting.cancelKey().map(cancel -> new CancelTarget.Backend(socket, cancel)),
                reported,
                new ServerStatements(shared.settings().maxPreparedStatements(), shared.statements()));
        compute.pipeline().addLast(server);
        hubs.reconnect(() -> {
            server.ask(LoginState.query(serverPool.key.user(), serverPool.key.database()), state -> {
                logins.settle(session, server, state);
                server.serverPool().greeting = parameters;
                learnLimit(server);
            });
        });
    }

    private void learnLimit(PooledServer server) {
        if (servers.asked()) {
            server.handBack();
            return;
        }
        server.ask("show max_connections", answer -> {
            servers.learn(answer);
            server.handBack();
            serve();
        });
    }

    /** A connection that is fit for the next client. */
    void available(PooledServer server) {
        server.serves();
        ServerPool serverPool = server.serverPool();
        PooledSession mine = serverPool.waiting.isEmpty() ? null : serverPool.waiting.getFirst();
        if (servers.exceeded() || isTooOld(server) || anotherServerPoolIsDue(mine)) {
            forget(server);
            server.channel().close();
            serve();
        } else if (mine != null) {
            give(server, mine);
        } else {
            serverPool.idle.addLast(server);
        }
    }

    private boolean isTooOld(PooledServer server) {
        return server.isOlderThan(shared.settings().serverLifetime().toNanos());
    }

    /** Whether a client of another server pool should have a connection before the longest waiting one of this server pool. */
    private boolean anotherServerPoolIsDue(@Nullable PooledSession mine) {
        if (waiting.isEmpty() || !servers.reached()) {
            return false;
        }
        PooledSession first = waiting.getFirst();
        long now = System.nanoTime();
        if (first.equals(mine) || (mine != null && now - first.waitingSinceNanos() <= FAIR_NANOS)) {
            return false;
        }
        if (!mayTake(first.serverPool(), now)) {
            retry();
            return false;
        }
        takenNanos = now;
        return true;
    }

    /** The connection has ended. */
    void gone(PooledServer server) {
        forget(server);
        if (server.served()) {
            serve();
        } else {
            // A compute that hangs up on whoever logs in is not asked again at once, and again.
            loop.schedule(() -> serve(), RETRY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** Counts it no more; does nothing the second time. */
    private void forget(PooledServer server) {
        if (server.forgotten()) {
            return;
        }
        ServerPool serverPool = server.serverPool();
        serverPool.idle.remove(server);
        serverPool.servers--;
        servers.gone();
    }

    ComputeConnector connector() {
        return shared.access().connector();
    }

    Logins logins() {
        return logins;
    }

    NotificationHubs hubs() {
        return hubs;
    }

    /** Whether it may have more connections than it has. */
    boolean mayOpen() {
        return !servers.reached();
    }

    boolean hasServers() {
        return servers.count() > 0;
    }

    private void sweep() {
        long now = System.nanoTime();
        long waitNanos = shared.settings().waitTimeout().toNanos();
        while (!waiting.isEmpty() && now - waiting.getFirst().waitingSinceNanos() > waitNanos) {
            PooledSession late = waiting.getFirst();
            stopWaiting(late);
            metrics().overflows.mark();
            late.fail(PgError.of(
                    SqlState.TOO_MANY_CONNECTIONS,
                    "no server connection became free within "
                            + shared.settings().waitTimeout().toSeconds() + " s",
                    "Keep transactions short, or raise proxy.pool.max_server_connections."));
            late.proceed();
        }
        long idleNanos = shared.settings().serverIdleTimeout().toNanos();
        List<PooledServer> stale = new ArrayList<>();
        for (ServerPool serverPool : serverPools.all()) {
            long most = serverPool.clients > 0 ? idleNanos : Math.min(idleNanos, ABANDONED_NANOS);
            serverPool.idle.stream()
                    .filter(server -> now - server.idleSinceNanos() > most || isTooOld(server))
                    .forEach(stale::add);
        }
        stale.forEach(server -> server.channel().close());
        // A connection that could not be opened for want of one on the compute's side is tried again.
        serve();
        serverPools.removeUnused();
        boolean unheard = hubs.removeUnused();
        if (!(servers.count() == 0 && unheard && shared.pools().removeIfUnused(this))) {
            loop.schedule(this::sweep, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** The pool's connections, closed at once. */
    void close() {
        hubs.close();
        serverPools
                .all()
                .forEach(serverPool -> List.copyOf(serverPool.idle)
                        .forEach(server -> server.channel().close()));
    }
}
