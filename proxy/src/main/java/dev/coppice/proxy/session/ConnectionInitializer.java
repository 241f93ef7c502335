package dev.coppice.proxy.session;

import dev.coppice.proxy.pgwire.StartupDecoder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.group.ChannelGroup;

/** Sets up the pipeline of a connection just accepted. */
public final class ConnectionInitializer extends ChannelInitializer<Channel> {
    /**
     * Connections over the limit that are still heard: they may be cancel requests, and the others deserve an error
     * that says why.
     */
    private static final int OVER_LIMIT_HEARD = 100;

    private final SessionServices services;
    private final ChannelGroup connections;

    /** @param connections gets every open connection */
    public ConnectionInitializer(SessionServices services, ChannelGroup connections) {
        this.services = services;
        this.connections = connections;
    }

    /** Ends all connections that have no transaction open, and the others when theirs ends: told 57P01, then closed. */
    public void drain() {
        connections.forEach(ClientConnection::drain);
    }

    /** Ends all connections: told 57P01 where possible, then closed. */
    public void shutDown() {
        connections.forEach(ClientConnection::shutDown);
    }

    /** Strangers who say nothing must leave room for those who log in. */
    private int maxUnknown() {
        return Math.max(services.settings().maxConnections() / 2, OVER_LIMIT_HEARD);
    }

    @Override
    protected void initChannel(Channel channel) {
        if (connections.size() >= services.settings().maxConnections() + OVER_LIMIT_HEARD
                || services.metrics().unknown() >= maxUnknown()) {
            services.metrics().dropped.mark();
            channel.close();
            return;
        }
        connections.add(channel);
        ClientConnection connection = ClientConnection.begin(channel, services);
        ProxyProtocol protocol = services.settings().proxyProtocol();
        boolean required = protocol.mode() == ProxyProtocol.Mode.REQUIRED;
        if (protocol.mode() != ProxyProtocol.Mode.OFF
                && protocol.trusted().allows(ClientConnection.internetAddress(channel.remoteAddress()))) {
            channel.pipeline().addLast(new ProxyHeaderDetector(connection, required));
        } else if (required) {
            connection.drop(Outcome.NOT_ALLOWED, "not a trusted load balancer");
            return;
        } else if (!connection.isFrom(channel.remoteAddress())) {
            return;
        }
        StartupHandler startup = new StartupHandler(connection);
        channel.pipeline().addLast(new TransportDetector(connection, startup), new StartupDecoder(), startup);
    }
}
