package dev.coppice.proxy.pgwire;

import dev.coppice.common.SqlState;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * Decodes what a client may send while it authenticates: {@code p} (a SASL message) and {@code X} (Terminate), each
 * Byte1 type, Int32 length without the type byte. Everything else, and everything too long, is malformed.
 */
public final class AuthenticationDecoder extends ByteToMessageDecoder {
    /** As in Postgres (PG_MAX_SASL_MESSAGE_LENGTH, src/backend/libpq/auth-sasl.c), body only. */
    public static final int MAX_BODY_BYTES = 1024;

    private static final int HEADER_BYTES = 5;

    /** What is kept behind a password that is being checked, in bytes; then nothing more is read. */
    private static final int MAX_AHEAD_BYTES = 16 << 10;

    private final boolean passwordOnly;
    private boolean answered;
    private boolean failed;

    /** For an exchange of any number of messages. */
    public AuthenticationDecoder() {
        this(false);
    }

    /**
     * @param passwordOnly whether one message is all that is asked for; what was sent ahead behind it is left for the next
     *     phase
     */
    public AuthenticationDecoder(boolean passwordOnly) {
        this.passwordOnly = passwordOnly;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (failed) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (passwordOnly && answered) {
            if (in.readableBytes() > MAX_AHEAD_BYTES) {
                ctx.channel().config().setAutoRead(false);
            }
            return;
        }
        byte type = in.getByte(in.readerIndex());
        if (type != 'p' && type != 'X') {
            fail(in, out, "expected an authentication message");
            return;
        }
        if (in.readableBytes() < HEADER_BYTES) {
            return;
        }
        int bodyBytes = in.getInt(in.readerIndex() + 1) - Integer.BYTES;
        if (bodyBytes < 0 || bodyBytes > MAX_BODY_BYTES || (type == 'X' && bodyBytes != 0)) {
            fail(in, out, "invalid length of an authentication message");
            return;
        }
        if (in.readableBytes() < HEADER_BYTES + bodyBytes) {
            return;
        }
        answered = true;
        in.skipBytes(HEADER_BYTES);
        ByteBuf body = in.readSlice(bodyBytes);
        out.add(
                type == 'X'
                        ? new ClientMessage.Terminate()
                        : new ClientMessage.AuthenticationResponse(ByteBufUtil.getBytes(body)));
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        if (passwordOnly) {
            ctx.channel().config().setAutoRead(true);
        }
    }

    private void fail(ByteBuf in, List<Object> out, String message) {
        failed = true;
        in.skipBytes(in.readableBytes());
        out.add(new ClientMessage.Malformed(
                PgError.of(SqlState.PROTOCOL_VIOLATION, message, "This is a bug of the client.")));
    }
}
