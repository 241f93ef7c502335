package dev.coppice.proxy.session;

import dev.coppice.proxy.cancel.CancelTarget;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ClientMessages;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;

/**
 * Passes a CancelRequest on to the compute of its session. The client's connection is closed, unanswered, when the
 * compute has closed ours: clients take that as "the signal has been sent".
 */
final class CancelForwarder {
    private CancelForwarder() {}

    static void forward(Channel client, ClientConnection connection, CancelKey key) {
        Optional<CancelTarget> target = connection.services.cancelKeys().find(key);
        if (target.isEmpty()) {
            connection.services.metrics().cancelsUnknown.mark();
            connection.drop(Outcome.CANCEL, "cancel request for no open session");
            return;
        }
        connection.services.metrics().cancelsForwarded.mark();
        connection.ending(Outcome.CANCEL, "cancel request forwarded");
        ChannelFuture connecting = connection
                .services
                .connector()
                .connect(
                        client.eventLoop(),
                        target.get().socket(),
                        connection.services.settings().waterMark(),
                        new SendAndDiscard(target.get().key()));
        Channel compute = connecting.channel();
        compute.closeFuture().addListener(_ -> client.close());
        client.closeFuture().addListener(_ -> compute.close());
    }

    private static final class SendAndDiscard extends ChannelInboundHandlerAdapter {
        private final CancelKey key;

        SendAndDiscard(CancelKey key) {
            this.key = key;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(ClientMessages.cancelRequest(ctx.alloc(), key), ctx.voidPromise());
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
}
