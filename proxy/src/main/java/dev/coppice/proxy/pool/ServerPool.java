package dev.coppice.proxy.pool;

import dev.coppice.proxy.pool.server.LoginState;
import dev.coppice.proxy.pool.sql.SessionSettings;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/** The connections and clients of one {@link PoolKey} who have logged in to the same. Confined to the pool's home loop. */
final class ServerPool {
    /** Of the idle connections, when one with certain settings is looked for. */
    private static final int MAX_LOOKED_AT = 32;

    final PoolKey key;
    final Deque<PooledServer> idle = new ArrayDeque<>();
    final SequencedSet<PooledSession> waiting = new LinkedHashSet<>();
    /** The parameters that the server reported to the last connection; null before the first. */
    byte @Nullable [] greeting;

    /** What a login was when its connections were made, {@link LoginState}; empty when that is not known. */
    String loginState = "";
    /** When that was found still to be so. */
    long checkedNanos;
    /** No connection is opened before, as its role or database has as many as it may. */
    long openAgainNanos = System.nanoTime();

    int opening;
    int clients;
    int servers;

    ServerPool(PoolKey key) {
        this.key = key;
    }

    boolean unused() {
        return clients == 0 && servers == 0;
    }

    /** The idle connection that was used last, of those that have these settings where there is one. */
    @Nullable
    PooledServer takeIdle(SessionSettings settings) {
        PooledServer last = idle.peekLast();
        if (last != null && !settings.equals(last.settings())) {
            Iterator<PooledServer> each = idle.descendingIterator();
            for (int i = 0; i < MAX_LOOKED_AT && each.hasNext(); i++) {
                PooledServer server = each.next();
                if (settings.equals(server.settings()) && server.channel().isActive()) {
                    each.remove();
                    return server;
                }
            }
        }
        for (PooledServer free = idle.pollLast(); free != null; free = idle.pollLast()) {
            if (free.channel().isActive()) {
                return free;
            }
        }
        return null;
    }
}
