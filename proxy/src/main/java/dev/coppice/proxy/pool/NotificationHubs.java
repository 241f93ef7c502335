package dev.coppice.proxy.pool;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The hubs of one endpoint, one for each database in which somebody listens. Confined to the pool's home loop. */
final class NotificationHubs {
    private final EndpointPool pool;
    private final PoolShared shared;
    private final Map<String, NotificationHub> hubs = new HashMap<>();
    private volatile boolean inUse;

    NotificationHubs(EndpointPool pool, PoolShared shared) {
        this.pool = pool;
        this.shared = shared;
    }

    /** Subscribes; false when the session has to wait for the hub, and is told to {@link PooledSession#proceed}. */
    boolean listen(PooledSession session, List<String> channels) {
        inUse = true;
        return hubs.computeIfAbsent(session.key().database(), _ -> new NotificationHub(pool, shared, session))
                .listen(session, channels);
    }

    void unlisten(PooledSession session, List<String> channels) {
        NotificationHub hub = hubs.get(session.key().database());
        if (hub != null) {
            hub.unlisten(session, channels);
        }
    }

    /** Whether the session waits for a hub. */
    boolean awaited(PooledSession session) {
        if (hubs.isEmpty()) {
            return false;
        }
        NotificationHub hub = hubs.get(session.key().database());
        return hub != null && hub.awaited(session);
    }

    /** The session has ended. */
    void leave(PooledSession session) {
        hubs.values().forEach(hub -> hub.leave(session));
    }

    /** Runs it when whoever listens hears, so that a session may begin that notifies. */
    void reconnect(Runnable then) {
        List<NotificationHub> all = List.copyOf(hubs.values());
        int[] open = {all.size()};
        if (all.isEmpty()) {
            then.run();
        }
        for (NotificationHub hub : all) {
            hub.makeSure(() -> {
                if (--open[0] == 0) {
                    then.run();
                }
            });
        }
    }

    /** Whether somebody may be listening; may be asked on any thread. */
    boolean inUse() {
        return inUse;
    }

    /** @return whether none is left */
    boolean removeUnused() {
        hubs.values().removeIf(NotificationHub::closedForGood);
        inUse = !hubs.isEmpty();
        return !inUse;
    }

    void close() {
        hubs.values().forEach(NotificationHub::close);
    }
}
