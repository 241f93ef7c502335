package dev.coppice.proxy.pool;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * What the client of a pooled endpoint is told: the server's own words, and those that are ours to say. Nothing is flushed but
 * by {@link #flush} and {@link #close}. Confined to the home loop.
 */
final class ClientOutput {
    /** Notifications kept for a client in the middle of a transaction. */
    private static final int MAX_NOTIFICATIONS = 10_000;
    /** BackendKeyData and ReadyForQuery. */
    private static final int GREETING_END_BYTES = 64;

    private final Channel client;
    private final Queue<ByteBuf> notifications = new ArrayDeque<>();
    private boolean unflushed;

    ClientOutput(Channel client) {
        this.client = client;
    }

    /** Takes ownership. */
    void write(ByteBuf bytes) {
        unflushed = true;
        client.write(bytes, client.voidPromise());
    }

    void flush() {
        if (unflushed) {
            unflushed = false;
            client.flush();
        }
    }

    /** @param parameters ParameterStatus messages */
    void greeting(byte[] parameters, CancelKey key) {
        ByteBuf out =
                client.alloc().buffer(parameters.length + GREETING_END_BYTES).writeBytes(parameters);
        ServerMessages.appendBackendKeyData(out, key);
        ServerMessages.appendReadyForQuery(out, (byte) 'I');
        write(out);
        flush();
    }

    void parseComplete() {
        write(ServerMessages.empty(client.alloc(), '1'));
    }

    void closeComplete() {
        write(ServerMessages.empty(client.alloc(), '3'));
    }

    void ready(byte status) {
        write(ServerMessages.readyForQuery(client.alloc(), status));
    }

    void deallocated(byte status) {
        write(ServerMessages.commandComplete(client.alloc(), "DEALLOCATE"));
        ready(status);
    }

    /** The statement failed, the session goes on. */
    void statementError(PgError error) {
        write(ServerMessages.statementError(client.alloc(), error));
    }

    /** The session ends. */
    void error(PgError error) {
        write(ServerMessages.error(client.alloc(), error));
    }

    /**
     * Keeps a notification until its turn has come; takes ownership.
     *
     * @return false when there are too many, and it is lost
     */
    boolean keep(ByteBuf notification) {
        if (notifications.size() >= MAX_NOTIFICATIONS) {
            notification.release();
            return false;
        }
        return notifications.add(notification);
    }

    void deliverNotifications() {
        for (ByteBuf message = notifications.poll(); message != null; message = notifications.poll()) {
            write(message);
        }
    }

    /** Nobody is there to be told anything. */
    void release() {
        notifications.forEach(ByteBuf::release);
        notifications.clear();
    }

    /** When everything has gone. */
    void close() {
        client.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }
}
