package dev.coppice.proxy.pool;

import org.jspecify.annotations.Nullable;

/**
 * What a pooled session has to do with a server connection. From {@link Without#NONE} it goes to {@link
 * Without#ASKING}, from there at once to {@link Holding}, or first to {@link Queued}, and always back. Changed on the pool's home loop only.
 */
sealed interface ServerBinding {
    /** Without a server connection. */
    enum Without implements ServerBinding {
        /** It wants none. */
        NONE,
        /** One is being looked for. */
        ASKING
    }

    /**
     * None was free: it stands in line.
     *
     * @param sinceNanos by {@link System#nanoTime}
     */
    record Queued(long sinceNanos) implements ServerBinding {}

    /** One is its own, until a transaction has ended, or the session where it is pinned. */
    record Holding(PooledServer server) implements ServerBinding {}

    /** Whether it wants a server connection and has none. */
    default boolean waits() {
        return this == Without.ASKING || this instanceof Queued;
    }

    /** The server connection that it has. */
    default @Nullable PooledServer server() {
        return this instanceof Holding(PooledServer held) ? held : null;
    }

    /** No server connection was free. */
    default ServerBinding toQueued(long nowNanos) {
        assert this == Without.ASKING : "queued when it was " + this;
        return new Queued(nowNanos);
    }

    /** It is given one. */
    default ServerBinding toHolding(PooledServer server) {
        assert waits() : "given a server connection when it was " + this;
        return new Holding(server);
    }

    /** It does not wait any more, whether it did or not; what it holds stays with it. */
    default ServerBinding notWaiting() {
        return waits() ? Without.NONE : this;
    }
}
