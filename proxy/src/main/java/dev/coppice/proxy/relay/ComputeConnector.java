package dev.coppice.proxy.relay;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import java.nio.file.Path;
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
     * Starts to connect; the channel belongs to the caller.
     *
     * @param loop the client's, so that the session needs no locks
     * @param first the handler to start the pipeline with
     */
    public ChannelFuture connect(EventLoop loop, Path socket, WriteBufferWaterMark waterMark, ChannelHandler first) {
        return new Bootstrap()
                .group(loop)
                .channel(transport.unixSocket())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()))
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, waterMark)
                .handler(first)
                .connect(transport.unixAddress(socket));
    }
}
