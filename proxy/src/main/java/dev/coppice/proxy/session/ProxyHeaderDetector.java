package dev.coppice.proxy.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import java.util.List;

/**
 * Looks whether a connection from a trusted address begins with a PROXY protocol header: {@code "PROXY "} or {@code 0D 0A 0D
 * 0A 00 0D 0A 51 55 49 54 0A}. Nothing that a Postgres client sends begins with the first byte of either: as the length of
 * a startup packet it would be far too long.
 */
final class ProxyHeaderDetector extends ByteToMessageDecoder {
    private static final byte[] VERSION_1 = {'P', 'R', 'O', 'X', 'Y', ' '};
    private static final byte[] VERSION_2 = {0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 'Q', 'U', 'I', 'T', 0x0A};
    /** What a version 2 header may have behind its addresses, in bytes; those in use are a few hundred. */
    private static final int MAX_TLV_BYTES = 4096;

    private final ClientConnection connection;
    private final boolean required;

    ProxyHeaderDetector(ClientConnection connection, boolean required) {
        this.connection = connection;
        this.required = required;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        int first = common(in, VERSION_1);
        int second = common(in, VERSION_2);
        if (first == VERSION_1.length || second == VERSION_2.length) {
            ctx.pipeline()
                    .addAfter(ctx.name(), null, new ProxyHeaderHandler(connection))
                    .addAfter(ctx.name(), null, new HAProxyMessageDecoder(MAX_TLV_BYTES));
            ctx.pipeline().remove(this);
        } else if (Math.max(first, second) < in.readableBytes()) {
            if (required) {
                in.skipBytes(in.readableBytes());
                connection.drop(Outcome.PROTOCOL, "no PROXY protocol header");
            } else if (connection.isFrom(ctx.channel().remoteAddress())) {
                ctx.pipeline().remove(this);
            } else {
                in.skipBytes(in.readableBytes());
            }
        }
    }

    /** How many bytes are as in the signature. */
    private static int common(ByteBuf in, byte[] signature) {
        int bytes = Math.min(in.readableBytes(), signature.length);
        for (int i = 0; i < bytes; i++) {
            if (in.getByte(in.readerIndex() + i) != signature[i]) {
                return i;
            }
        }
        return bytes;
    }
}
