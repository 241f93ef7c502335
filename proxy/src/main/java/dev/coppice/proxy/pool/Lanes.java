package dev.coppice.proxy.pool;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The lanes of one endpoint's pool: for each {@link PoolKey} the one that new clients come to, and those of clients who logged in when
 * a login meant something else. Confined to the pool's home loop.
 */
final class Lanes {
    private final Map<PoolKey, Lane> current = new HashMap<>();
    private final Set<Lane> former = new LinkedHashSet<>();

    /** Where new clients of this kind come to. */
    Lane of(PoolKey key) {
        return current.computeIfAbsent(key, Lane::new);
    }

    /** Where those belong who log in now, when that means something else than it did in this lane. */
    Lane successor(Lane of, String loginState) {
        Lane now = of(of.key);
        return now != of && (now.loginState.isEmpty() || now.loginState.equals(loginState)) ? now : renewed(of.key);
    }

    /** An empty one. */
    Lane renewed(PoolKey key) {
        Lane fresh = new Lane(key);
        Lane before = current.put(key, fresh);
        if (before != null) {
            former.add(before);
        }
        return fresh;
    }

    List<Lane> all() {
        List<Lane> all = new ArrayList<>(current.values());
        all.addAll(former);
        return all;
    }

    void removeUnused() {
        current.values().removeIf(Lane::unused);
        former.removeIf(Lane::unused);
    }
}
