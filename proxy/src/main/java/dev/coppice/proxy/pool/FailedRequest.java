package dev.coppice.proxy.pool;

/**
 * What a client sends behind a request that we, not a server, have answered with an error: ignored up to its Sync, as a server would.
 * Confined to the pool's home loop.
 */
final class FailedRequest {
    private boolean failing;
    private boolean toSync;

    /** Whether the client was told an error of ours, and is not heard before its next Sync. */
    boolean failing() {
        return failing;
    }

    /** The client is told an error now. */
    void begin() {
        failing = true;
        toSync = false;
    }

    /**
     * A message that came after it.
     *
     * @return whether it ends here, and ReadyForQuery is due: after the simple query that has failed, or a Sync
     */
    boolean skipped(byte type) {
        boolean simple = !toSync && (type == 'Q' || type == 'F');
        toSync = true;
        if (simple || type == 'S') {
            failing = false;
        }
        return !failing;
    }
}
