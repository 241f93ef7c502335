package dev.coppice.proxy.http;

import dev.coppice.proxy.http.websocket.WebSocketStream;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.IdleStateHandler;
import java.util.Optional;

/** Turns a connection whose first bytes are a request's into one that speaks HTTP. */
public final class HttpEntrance {
    private static final int MAX_LINE_BYTES = 8 << 10;
    /** A connection string with many options fits. */
    private static final int MAX_HEADER_BYTES = 16 << 10;
    /** A connection without a request, or in the middle of one that does not go on, is closed. */
    private static final int IDLE_SECONDS = 300;

    private HttpEntrance() {}

    /** Whether a connection that begins with this byte may be HTTP; a startup packet begins with a zero byte. */
    public static boolean begins(byte first) {
        return first >= 'A' && first <= 'Z';
    }

    /** Appends the handlers; those before them must pass on bytes in clear. */
    public static void open(ChannelPipeline pipeline, HttpServices services, Gate gate) {
        pipeline.channel().config().setAutoRead(false);
        pipeline.addLast(
                new HttpServerCodec(new HttpDecoderConfig()
                        .setMaxInitialLineLength(MAX_LINE_BYTES)
                        .setMaxHeaderSize(MAX_HEADER_BYTES)),
                new FlowControlHandler(),
                new IdleStateHandler(0, 0, IDLE_SECONDS));
        pipeline.addLast(new RequestHandler(services, gate));
    }

    /** The handshake was answered: from here on it is a stream of bytes for a Postgres session. */
    static void becomeWebSocket(ChannelHandlerContext ctx, Gate gate, Optional<String> host) {
        ChannelPipeline pipeline = ctx.pipeline();
        pipeline.addLast(new WebSocketStream());
        gate.openWebSocket(ctx, host);
        pipeline.remove(ctx.handler());
        pipeline.remove(IdleStateHandler.class);
        pipeline.remove(FlowControlHandler.class);
        pipeline.remove(HttpServerCodec.class);
        ctx.channel().config().setAutoRead(true);
    }
}
