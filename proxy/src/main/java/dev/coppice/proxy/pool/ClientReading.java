package dev.coppice.proxy.pool;

import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/** When a client is read: not while it has sent more ahead than is kept for it, nor while its server takes no more. Confined to the home loop. */
final class ClientReading {
    /** What a waiting client may have sent ahead before it is not read any more, in bytes. */
    private static final int MAX_AHEAD_BYTES = 16 << 10;

    private final Channel client;
    private boolean paused;

    ClientReading(Channel client) {
        this.client = client;
    }

    /** Before the session has begun. */
    void early(RequestStream requests) {
        if (requests.pendingBytes() > MAX_AHEAD_BYTES) {
            client.config().setAutoRead(false);
        }
    }

    /** What cannot go on yet is held up to a limit; then the client is not read until it can. */
    void bound(RequestStream requests, @Nullable PooledServer server) {
        if (requests.waits()) {
            if (requests.pendingBytes() > MAX_AHEAD_BYTES) {
                paused = true;
                client.config().setAutoRead(false);
            }
        } else if (paused) {
            paused = false;
            client.config().setAutoRead(server == null || server.channel().isWritable());
        }
    }

    /** The server takes more, or does not. */
    void serverWritable(boolean writable) {
        client.config().setAutoRead(writable && !paused);
    }

    /** A server connection and its client are read as far as the other takes what comes. */
    void coupled(PooledServer server) {
        client.config().setAutoRead(server.channel().isWritable());
        server.channel().config().setAutoRead(client.isWritable());
    }

    /** Nothing holds the client back. */
    void freely() {
        client.config().setAutoRead(true);
    }
}
