package dev.coppice.proxy.pool;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The hubs of one endpoint, one for each database in which somebody listens. Confined to the pool's home loop. */
final class NotificationHubs {
    private final EndpointPool pool;
    private final PoolShared shared;
    private final Map<String, NotificationHub> hubs = new HashMap<>();

    NotificationHubs(EndpointPool pool, PoolShared shared) {
        this.pool = pool;
        this.shared = shared;
    }

    /** Subscribes; false when the session has to wait for the hub, and is told to {@link PooledSession#proceed}. */
    boolean listen(PooledSession session, List<String> channels) {
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
        NotificationHub hub = hubs.get(session.key().database());
        return hub != null && hub.awaited(session);
    }

    /** The session has ended. */
    void leave(PooledSession session) {
        hubs.values().forEach(hub -> hub.leave(session));
    }

    /** The compute is awake: whoever listens hears again, before anybody can notify through us. */
    void reconnect(Runnable then) {
        List<NotificationHub> lost =
                hubs.values().stream().filter(NotificationHub::isLost).toList();
        if (lost.isEmpty()) {
            then.run();
            return;
        }
        int[] open = {lost.size()};
        for (NotificationHub hub : lost) {
            hub.connect(() -> {
                if (--open[0] == 0) {
                    then.run();
                }
            });
        }
    }

    /** @return whether none is left */
    boolean removeUnused() {
        hubs.values().removeIf(NotificationHub::closedForGood);
        return hubs.isEmpty();
    }

    void close() {
        hubs.values().forEach(NotificationHub::close);
    }
}
