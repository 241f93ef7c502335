package dev.coppice.proxy.pool;

/** How far a pooled client has come. It begins with {@link #LOGIN}; from each of the last two there is no way on. */
enum SessionPhase {
    /** It has not been told yet that it may begin: it is on its way to the home loop, or waits for what its login needs. */
    LOGIN,
    /** It may ask what it wants. */
    SERVING,
    /** It ended before it could begin. */
    REFUSED,
    /** It ended after it had begun. */
    CLOSED;

    /** Whether the client was ever told that it may begin. */
    boolean greeted() {
        return this == SERVING || this == CLOSED;
    }

    boolean over() {
        return this == REFUSED || this == CLOSED;
    }

    /** The client is told that it may begin. */
    SessionPhase toServing() {
        assert this == LOGIN : "greeted a client in the phase " + this;
        return SERVING;
    }

    /** The session ends; does nothing the second time. */
    SessionPhase toEnd() {
        return greeted() ? CLOSED : REFUSED;
    }
}
