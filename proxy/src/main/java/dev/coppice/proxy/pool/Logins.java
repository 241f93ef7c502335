package dev.coppice.proxy.pool;

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
    private final Lanes lanes;
    private final PoolShared shared;

    Logins(EndpointPool pool, Lanes lanes, PoolShared shared) {
        this.pool = pool;
        this.lanes = lanes;
        this.shared = shared;
    }

    /**
     * A client has come of whose kind there are others: it is let in and greeted as they were, unless its login would be another one.
     * Then it has one of its own. A compute that sleeps, and one whose connections are all busy, is not asked: Postgres is the judge
     * when the client's first request needs a connection.
     */
    void login(PooledSession session) {
        Lane lane = session.lane();
        long now = System.nanoTime();
        boolean checkedJustNow = session.discardsAfterUse() && now - lane.checkedNanos < CHECK_NANOS;
        PooledServer asked = lane.loginState.isEmpty() || checkedJustNow ? null : idleOfAny(lane);
        if (asked == null) {
            if (!checkedJustNow && pool.mayOpen() && shared.access().directory().runs(pool.endpointId())) {
                session.acquire();
            } else {
                session.greetAsBefore();
            }
            return;
        }
        asked.check(LoginState.query(lane.key.user(), lane.key.database()), state -> {
            if (asked.channel().isActive()) {
                asked.handBack();
                checked(session, lane, state);
            } else {
                session.greetAsBefore();
            }
        });
    }

    private void checked(PooledSession session, Lane lane, String state) {
        if (session.ended()) {
            return;
        }
        boolean triggers = LoginState.firesTriggers(state);
        if (state.equals(lane.loginState) && !triggers) {
            lane.checkedNanos = System.nanoTime();
            session.greetAsBefore();
        } else {
            move(session, triggers ? lanes.renewed(lane.key) : lanes.successor(lane, state));
            session.acquire();
        }
    }

    private @Nullable PooledServer idleOfAny(Lane first) {
        PooledServer own = first.idle.pollLast();
        if (own != null) {
            return own;
        }
        for (Lane lane : lanes.all()) {
            PooledServer other = lane.idle.pollLast();
            if (other != null) {
                return other;
            }
        }
        return null;
    }

    private static void move(PooledSession session, Lane to) {
        Lane from = session.lane();
        from.clients--;
        to.clients++;
        session.lane(to);
        if (from.waiting.remove(session)) {
            to.waiting.add(session);
        }
    }

    /** Sees to it that the connection, and who asked for it, are among those who have logged in to the same. */
    void settle(PooledSession session, PooledServer server, String state) {
        Lane lane = server.lane();
        if (!state.isEmpty() && !lane.loginState.isEmpty() && !state.equals(lane.loginState)) {
            Lane other = lanes.successor(lane, state);
            lane.servers--;
            other.servers++;
            server.lane(other);
            if (lane.waiting.contains(session)) {
                move(session, other);
            }
        }
        if (!state.isEmpty()) {
            server.lane().loginState = state;
            server.lane().checkedNanos = System.nanoTime();
        }
    }
}
