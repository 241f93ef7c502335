package dev.coppice.proxy.limit;

import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many connections each address (IPv6: each /64) has that have proved no password yet. Holds as many entries as there
 * are such connections at most; used on any thread.
 */
public final class UnauthenticatedConnections {
    private final Map<String, Integer> counts = new ConcurrentHashMap<>();

    /**
     * Counts one more, unless there are too many.
     *
     * @param limit for one address; 0 means none
     * @return whether it was counted; {@link #leave} must follow then
     */
    public boolean enter(InetAddress address, int limit) {
        boolean[] counted = new boolean[1];
        counts.compute(ClientNetwork.of(address), (_, before) -> {
            int now = before == null ? 0 : before;
            counted[0] = limit == 0 || now < limit;
            int after = counted[0] ? now + 1 : now;
            return after == 0 ? null : (Integer) after;
        });
        return counted[0];
    }

    /** One that was counted has proved its password, or has ended. */
    public void leave(InetAddress address) {
        counts.computeIfPresent(ClientNetwork.of(address), (_, now) -> now == 1 ? null : now - 1);
    }
}
