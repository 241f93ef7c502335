package dev.coppice.compute;

/**
 * Hears what becomes of computes. Called on the thread that did the work, after the state has changed and before the
 * future of the operation completes; must return soon and must not wait for an operation on the same endpoint.
 */
public interface ComputeListener {
    /** The compute accepts connections; also after adopting one that survived a restart of the server. */
    default void woken(String endpointId) {}

    /** The compute has stopped cleanly. */
    default void suspended(String endpointId) {}

    /** The compute died without being asked to, and has been cleaned up after: the next wake recovers the timeline. */
    default void crashed(String endpointId, String reason) {}
}
