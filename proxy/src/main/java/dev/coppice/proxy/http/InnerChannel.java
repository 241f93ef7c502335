package dev.coppice.proxy.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.SocketAddress;
import java.util.function.Consumer;

/**
 * A client's channel without a socket: what is written to it goes to a consumer, and what the consumer has to say is
 * fired into its pipeline. It runs on any event loop, and can move from one to another.
 */
final class InnerChannel extends AbstractChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private final ChannelConfig config = new DefaultChannelConfig(this);
    private final SocketAddress client;
    private final Consumer<ByteBuf> written;
    private volatile boolean open = true;

    /**
     * @param client whom logs shall name
     * @param written gets each buffer on the event loop, borrowed: it is released after the call. It must neither close the
     *     channel nor fire into it from there
     */
    InnerChannel(SocketAddress client, Consumer<ByteBuf> written) {
        super(null);
        this.client = client;
        this.written = written;
    }

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isActive() {
        return open;
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new AbstractUnsafe() {
            @Override
            public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
                promise.setFailure(new UnsupportedOperationException("there is nothing to connect to"));
            }
        };
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected SocketAddress localAddress0() {
        return client;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return client;
    }

    @Override
    protected void doBind(SocketAddress address) {
        throw new UnsupportedOperationException("there is nothing to bind");
    }

    @Override
    protected void doDisconnect() {
        open = false;
    }

    @Override
    protected void doClose() {
        open = false;
    }

    @Override
    protected void doBeginRead() {
        // What is there to read is fired into the pipeline when it is there.
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {
        for (Object message = in.current(); message != null; message = in.current()) {
            written.accept((ByteBuf) message);
            in.remove();
        }
    }
}
