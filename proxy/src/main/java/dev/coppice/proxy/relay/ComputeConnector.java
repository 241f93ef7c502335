package dev.coppice.proxy.relay;

import dev.coppice.proxy.route.ComputeSocket;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import java.time.Duration;

/** Opens connections to computes. */
public final class ComputeConnector {
    private final Transport transport;
    private final Duration timeout;

    public ComputeConnector(Transport transport, Duration timeout) {
        this.transport = transport;
        this.timeout = timeout;
    }

    /**
     * Starts to connect; the channel belongs to the caller. Who listens there is looked at before {@code first} hears that the
     * channel is active; where it is not the compute, the channel is closed.
     *
     * @param loop the client's, so that the session needs no locks
     * @param first the handler to start the pipeline with
     */
    public ChannelFuture connect(
            EventLoop loop, ComputeSocket socket, WriteBufferWaterMark waterMark, ChannelHandler first) {
        return new Bootstrap()
                .group(loop)
                .channel(transport.unixSocket())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()))
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new PeerCheck(socket), first);
                    }
                })
                .connect(transport.unixAddress(socket.path()));
    }
}
