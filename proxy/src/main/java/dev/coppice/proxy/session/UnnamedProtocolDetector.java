package dev.coppice.proxy.session;

import dev.coppice.proxy.http.HttpEntrance;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * Looks at the first byte behind a TLS handshake that named no protocol: HTTP clients may do without, Postgres clients may
 * not.
 */
final class UnnamedProtocolDetector extends ByteToMessageDecoder {
    private final StartupHandler startup;

    UnnamedProtocolDetector(StartupHandler startup) {
        this.startup = startup;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (HttpEntrance.begins(in.getByte(in.readerIndex()))) {
            startup.becomeHttp(ctx.pipeline());
        } else {
            in.skipBytes(in.readableBytes());
            startup.refuseWithoutAlpn();
        }
        ctx.pipeline().remove(this);
    }
}
