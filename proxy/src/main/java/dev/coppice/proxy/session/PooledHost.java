package dev.coppice.proxy.session;

import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.pool.PooledSession;
import dev.coppice.proxy.relay.LiveSession;
import dev.coppice.proxy.relay.SessionEnd;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;

/** Tells a client's connection how its pooled session fares. */
record PooledHost(ClientConnection connection, Channel client) implements PooledSession.Host {
    @Override
    public ProtocolVersion version() {
        return connection.version();
    }

    @Override
    public void began(LiveSession session) {
        connection.sessionBegan(session);
    }

    @Override
    public void ended(SessionEnd who, String why) {
        connection.ending(Outcome.SESSION, "ended by " + who.label() + (why.isEmpty() ? "" : ": " + why));
    }

    @Override
    public void refused(String sqlState, byte[] errorResponse) {
        connection.ending(Outcome.COMPUTE_REFUSED, "compute answered " + sqlState);
        client.writeAndFlush(Unpooled.wrappedBuffer(errorResponse)).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void refused(PgError error) {
        connection.refuse(Outcome.WAKE_FAILED, error);
    }
}
