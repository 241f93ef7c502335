package dev.coppice.proxy.relay;

import dev.coppice.proxy.cancel.CancelTarget;
import dev.coppice.proxy.pgwire.ClientMessages;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Asks a compute to cancel what one of its backends does. The compute closes the connection when it has told it. */
public final class CancelSender extends ChannelInboundHandlerAdapter {
    /** A compute that has not told its backend by then never will. */
    private static final long TIMEOUT_SECONDS = 10;

    private final CancelTarget.Backend target;

    private CancelSender(CancelTarget.Backend target) {
        this.target = target;
    }

    /** @return the connection; its close future completes when the request has been seen to, or could not be */
    public static Channel send(ComputeConnector connector, EventLoop loop, CancelTarget.Backend target) {
        return connector
                .connect(loop, target.socket(), WriteBufferWaterMark.DEFAULT, new CancelSender(target))
                .channel();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ctx.writeAndFlush(ClientMessages.cancelRequest(ctx.alloc(), target.key()), ctx.voidPromise());
        Future<?> deadline = ctx.executor().schedule(() -> ctx.close(), TIMEOUT_SECONDS, TimeUnit.SECONDS);
        ctx.channel().closeFuture().addListener(_ -> deadline.cancel(false));
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ReferenceCountUtil.release(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
