package dev.coppice.proxy.pool;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The server pools of one endpoint's pool: for each {@link PoolKey} the one that new clients come to, and those of clients who logged in when
 * a login meant something else. Confined to the pool's home loop.
 */
final class ServerPools {
    private final Map<PoolKey, ServerPool> current = new HashMap<>();
    private final Set<ServerPool> former = new LinkedHashSet<>();

    /** Where new clients of this kind come to. */
    ServerPool of(PoolKey key) {
        return current.computeIfAbsent(key, ServerPool::new);
    }

    /** Where those belong who log in now, when that means something else than it did in this server pool. */
    ServerPool successor(ServerPool of, String loginState) {
        ServerPool now = of(of.key);
        return now != of && (now.loginState.isEmpty() || now.loginState.equals(loginState)) ? now : renewed(of.key);
    }

    /** An empty one. */
    ServerPool renewed(PoolKey key) {
        ServerPool fresh = new ServerPool(key);
        ServerPool before = current.put(key, fresh);
        if (before != null) {
            former.add(before);
        }
        return fresh;
    }

    List<ServerPool> all() {
        List<ServerPool> all = new ArrayList<>(current.values());
        all.addAll(former);
        return all;
    }

    void removeUnused() {
        current.values().removeIf(ServerPool::unused);
        former.removeIf(ServerPool::unused);
    }
}
