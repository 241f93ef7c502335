package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.common.SqlState;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Decodes the packets without a type byte that open a connection:
 *
 * <pre>
 * Int32 length, itself included | Int32 code | the rest
 *   80877103 SSLRequest   80877104 GSSENCRequest   80877102 CancelRequest: Int32 process id, Byte[n] secret
 *   otherwise the protocol version of a StartupMessage: (String name, String value)*, Byte1(0)
 * </pre>
 *
 * The handler behind it takes the decoder out once the StartupMessage has come; bytes behind that one stay buffered
 * and go to the successor.
 */
public final class StartupDecoder extends ByteToMessageDecoder {
    /** As in Postgres (MAX_STARTUP_PACKET_LENGTH, src/include/libpq/pqcomm.h). */
    public static final int MAX_LENGTH_BYTES = 10_000;

    private static final int HEADER_BYTES = 8;
    private static final int SSL_REQUEST = 80877103;
    private static final int GSS_REQUEST = 80877104;
    private static final int CANCEL_REQUEST = 80877102;

    private boolean failed;

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (failed) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < Integer.BYTES) {
            return;
        }
        int length = in.getInt(in.readerIndex());
        if (length < HEADER_BYTES || length > MAX_LENGTH_BYTES) {
            fail(in, out, "invalid length of startup packet", "Is this client speaking the Postgres protocol?");
            return;
        }
        if (in.readableBytes() < length) {
            return;
        }
        in.skipBytes(Integer.BYTES);
        int code = in.readInt();
        ByteBuf body = in.readSlice(length - HEADER_BYTES);
        switch (code) {
            case SSL_REQUEST -> negotiation(new ClientMessage.SslRequest(), body, in, out);
            case GSS_REQUEST -> negotiation(new ClientMessage.GssRequest(), body, in, out);
            case CANCEL_REQUEST -> cancel(body, in, out);
            default -> startup(ProtocolVersion.fromWire(code), body, in, out);
        }
    }

    // Whatever was sent in clear behind the request must not be taken for the start of the encrypted stream
    // (CVE-2021-23214).
    private void negotiation(ClientMessage message, ByteBuf body, ByteBuf in, List<Object> out) {
        if (body.isReadable()) {
            fail(in, out, "invalid length of startup packet", "Is this client speaking the Postgres protocol?");
        } else if (in.isReadable()) {
            fail(
                    in,
                    out,
                    "received unencrypted data after an encryption request",
                    "This could be a client software bug or a man-in-the-middle attack.");
        } else {
            out.add(message);
        }
    }

    private void cancel(ByteBuf body, ByteBuf in, List<Object> out) {
        int secretBytes = body.readableBytes() - Integer.BYTES;
        if (secretBytes < CancelKey.SHORT_SECRET_BYTES || secretBytes > CancelKey.MAX_SECRET_BYTES) {
            fail(in, out, "invalid length of cancel request", "Is this client speaking the Postgres protocol?");
            return;
        }
        int processId = body.readInt();
        out.add(new ClientMessage.CancelRequest(new CancelKey(processId, ByteBufUtil.getBytes(body))));
    }

    private void startup(ProtocolVersion version, ByteBuf body, ByteBuf in, List<Object> out) {
        if (version.major() != 3) {
            fail(
                    in,
                    out,
                    SqlState.FEATURE_NOT_SUPPORTED,
                    "unsupported frontend protocol " + version + ": this server supports 3.0 to "
                            + ProtocolVersion.V3_2,
                    "Use a Postgres client newer than 7.4.");
            return;
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        try {
            while (true) {
                String name = cString(body);
                if (name.isEmpty()) {
                    break;
                }
                parameters.put(name, cString(body));
            }
        } catch (CharacterCodingException _) {
            fail(in, out, "startup parameters are not valid UTF-8", "Use UTF-8 for user and database names.");
            return;
        } catch (IndexOutOfBoundsException _) {
            fail(in, out, "invalid startup packet layout: unterminated string", "This is a bug of the client.");
            return;
        }
        if (body.isReadable()) {
            fail(
                    in,
                    out,
                    "invalid startup packet layout: expected terminator as last byte",
                    "This is a bug of the client.");
            return;
        }
        out.add(new ClientMessage.Startup(version, parameters));
    }

    private static String cString(ByteBuf body) throws CharacterCodingException {
        int length = body.bytesBefore((byte) 0);
        if (length < 0) {
            throw new IndexOutOfBoundsException();
        }
        ByteBuffer bytes = body.nioBuffer(body.readerIndex(), length);
        String text = UTF_8.newDecoder().decode(bytes).toString();
        body.skipBytes(length + 1);
        return text;
    }

    private void fail(ByteBuf in, List<Object> out, String message, String hint) {
        fail(in, out, SqlState.PROTOCOL_VIOLATION, message, hint);
    }

    private void fail(ByteBuf in, List<Object> out, SqlState state, String message, String hint) {
        failed = true;
        in.skipBytes(in.readableBytes());
        out.add(new ClientMessage.Malformed(PgError.of(state, message, hint)));
    }
}
