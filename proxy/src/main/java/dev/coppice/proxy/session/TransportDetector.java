package dev.coppice.proxy.session;

import dev.coppice.proxy.http.HttpEntrance;
import dev.coppice.proxy.tls.TlsIdentity;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import java.util.Optional;

/**
 * Looks at the first byte of a connection. A TLS handshake record (0x16) means direct TLS, as libpq's
 * {@code sslnegotiation=direct} does since 17; no startup packet begins so, it would be 352 MB long. A capital letter
 * begins an HTTP request.
 */
final class TransportDetector extends ByteToMessageDecoder {
    private static final byte TLS_HANDSHAKE_RECORD = 0x16;

    private final ClientConnection connection;
    private final StartupHandler startup;

    TransportDetector(ClientConnection connection, StartupHandler startup) {
        this.connection = connection;
        this.startup = startup;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        byte first = in.getByte(in.readerIndex());
        if (HttpEntrance.begins(first) && connection.services.http().settings().enabled()) {
            startup.becomeHttp(ctx.pipeline());
            ctx.pipeline().remove(this);
            return;
        }
        if (first != TLS_HANDSHAKE_RECORD) {
            ctx.pipeline().remove(this);
            return;
        }
        Optional<TlsIdentity> tls = connection.tls();
        if (tls.isEmpty()) {
            in.skipBytes(in.readableBytes());
            connection.drop(Outcome.PROTOCOL, "direct TLS, but TLS is off");
            return;
        }
        startup.directTls();
        ctx.pipeline()
                .replace(
                        this,
                        "tls",
                        tls.get()
                                .newHandler(
                                        ctx.alloc(),
                                        connection.services.settings().handshakeTimeout()));
    }
}
