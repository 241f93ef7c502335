package dev.coppice.proxy.pool;

import dev.coppice.proxy.pool.server.LoginState;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes a login of a pooled client what a login to Postgres is now, though mostly none happens. Decision 064 has what is checked. Confined
 * to the pool's home loop.
 */
final class Logins {
    /** One who logs in for each transaction is not checked more often than this. */
    private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EndpointPool pool;
    private final ServerPools serverPools;
    private final PoolShared shared;

    Logins(EndpointPool pool, ServerPools serverPools, PoolShared shared) {
        this.pool = pool;
        this.serverPools = serverPools;
        this.shared = shared;
    }

    /**
     * A client has come of whose kind there are others: it is let in and greeted as they were, unless its login would be another one.
     * Then it has one of its own. A compute that sleeps, and one whose connections are all busy, is not asked: Postgres is the judge
     * when the client's first request needs a connection.
     */
    void login(PooledSession session) {
        ServerPool serverPool = session.serverPool();
        long now = System.nanoTime();
        boolean checkedJustNow = session.discardsAfterUse() && now - serverPool.checkedNanos < CHECK_NANOS;
        PooledServer asked = serverPool.loginState.isEmpty() || checkedJustNow ? null : idleOfAny(serverPool);
        if (asked == null) {
            if (!checkedJustNow && pool.mayOpen() && shared.access().directory().runs(pool.endpointId())) {
                session.acquire();
            } else {
                session.greetAsBefore();
            }
            return;
        }
        asked.check(LoginState.query(serverPool.key.user(), serverPool.key.database()), state -> {
            if (asked.channel().isActive()) {
                asked.handBack();
                checked(session, serverPool, state);
            } else {
                session.greetAsBefore();
            }
        });
    }

    private void checked(PooledSession session, ServerPool serverPool, String state) {
        if (session.ended()) {
            return;
        }
        boolean triggers = LoginState.firesTriggers(state);
        if (state.equals(serverPool.loginState) && !triggers) {
            serverPool.checkedNanos = System.nanoTime();
            session.greetAsBefore();
        } else {
            move(session, triggers ? serverPools.renewed(serverPool.key) : serverPools.successor(serverPool, state));
            session.acquire();
        }
    }

    private @Nullable PooledServer idleOfAny(ServerPool first) {
        PooledServer own = first.idle.pollLast();
        if (own != null) {
            return own;
        }
        for (ServerPool serverPool : serverPools.all()) {
            PooledServer other = serverPool.idle.pollLast();
            if (other != null) {
                return other;
            }
        }
        return null;
    }

    private static void move(PooledSession session, ServerPool to) {
        ServerPool from = session.serverPool();
        from.clients--;
        to.clients++;
        session.serverPool(to);
        if (from.waiting.remove(session)) {
            to.waiting.add(session);
        }
    }

    /** Sees to it that the connection, and who asked for it, are among those who have logged in to the same. */
    void settle(PooledSession session, PooledServer server, String state) {
        ServerPool serverPool = server.serverPool();
        if (!state.isEmpty() && !serverPool.loginState.isEmpty() && !state.equals(serverPool.loginState)) {
            ServerPool other = serverPools.successor(serverPool, state);
            serverPool.servers--;
            other.servers++;
            server.serverPool(other);
            if (serverPool.waiting.contains(session)) {
                move(session, other);
            }
        }
        if (!state.isEmpty()) {
            server.serverPool().loginState = state;
            server.serverPool().checkedNanos = System.nanoTime();
        }
    }
}
