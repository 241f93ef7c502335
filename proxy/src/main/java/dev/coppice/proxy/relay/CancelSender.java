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
import java.util.function.Consumer;

/** Asks a compute to cancel what one of its backends does. The compute closes the connection when it has told it. */
public final class CancelSender extends ChannelInboundHandlerAdapter {
    /** A compute that has not told its backend by then never will. */
    private static final long TIMEOUT_SECONDS = 10;

    private final CancelTarget.Backend target;
    private boolean sent;
    private boolean timedOut;

    private CancelSender(CancelTarget.Backend target) {
        this.target = target;
    }

    /**
     * @param done runs once, on the loop: with true when the backend has been told, or nothing was sent; with false when it may be told
     *     still, later
     * @return the connection
     */
    public static Channel send(
            ComputeConnector connector, EventLoop loop, CancelTarget.Backend target, Consumer<Boolean> done) {
        CancelSender sender = new CancelSender(target);
        Channel channel = connector
                .connect(loop, target.socket(), WriteBufferWaterMark.DEFAULT, sender)
                .channel();
        channel.closeFuture().addListener(_ -> loop.execute(() -> done.accept(!sender.sent || !sender.timedOut)));
        return channel;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        sent = true;
        ctx.writeAndFlush(ClientMessages.cancelRequest(ctx.alloc(), target.key()), ctx.voidPromise());
        Future<?> deadline = ctx.executor().schedule(() -> timeOut(ctx), TIMEOUT_SECONDS, TimeUnit.SECONDS);
        ctx.channel().closeFuture().addListener(_ -> deadline.cancel(false));
    }

    private void timeOut(ChannelHandlerContext ctx) {
        timedOut = true;
        ctx.close();
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
