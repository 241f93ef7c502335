package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.ArrayList;
import java.util.List;

/**
 * Decodes a compute's messages up to its first ReadyForQuery: Byte1 type, Int32 length without the type byte, body.
 * It is taken out of the pipeline then; bytes behind that message go on undecoded.
 */
public final class ComputeDecoder extends ByteToMessageDecoder {
    /** Longer than any message of a login; a notice of a login trigger may be some kilobytes. */
    static final int MAX_LENGTH_BYTES = 1 << 20;

    private static final int HEADER_BYTES = 5;

    private boolean failed;

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (failed) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < HEADER_BYTES) {
            return;
        }
        int start = in.readerIndex();
        byte type = in.getByte(start);
        int length = in.getInt(start + 1);
        if (length < Integer.BYTES || length > MAX_LENGTH_BYTES) {
            fail(in, out, "message '" + (char) type + "' with length " + length);
            return;
        }
        if (in.readableBytes() < 1 + length) {
            return;
        }
        ByteBuf frame = in.readSlice(1 + length);
        ByteBuf body = frame.slice(HEADER_BYTES, length - Integer.BYTES);
        try {
            out.add(message(type, body, frame));
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            fail(in, out, "message '" + (char) type + "' cut short: " + e.getMessage());
        }
    }

    private static ComputeMessage message(byte type, ByteBuf body, ByteBuf frame) {
        return switch (type) {
            case 'R' -> authentication(body);
            case 'K' -> {
                int processId = body.readInt();
                yield new ComputeMessage.BackendKeyData(new CancelKey(processId, ByteBufUtil.getBytes(body)));
            }
            case 'Z' -> new ComputeMessage.ReadyForQuery(body.readByte());
            case 'E' -> {
                String sqlState = sqlState(body);
                yield new ComputeMessage.Refused(sqlState, frame.retain());
            }
            default -> new ComputeMessage.Passed(frame.retain());
        };
    }

    private static ComputeMessage authentication(ByteBuf body) {
        int code = body.readInt();
        return switch (code) {
            case ServerMessages.AUTHENTICATION_OK -> new ComputeMessage.AuthenticationOk();
            case ServerMessages.AUTHENTICATION_SASL -> {
                List<String> mechanisms = new ArrayList<>();
                for (String name = cString(body); !name.isEmpty(); name = cString(body)) {
                    mechanisms.add(name);
                }
                yield new ComputeMessage.SaslMechanisms(mechanisms);
            }
            case ServerMessages.AUTHENTICATION_SASL_CONTINUE -> new ComputeMessage.SaslContinue(body.toString(UTF_8));
            case ServerMessages.AUTHENTICATION_SASL_FINAL -> new ComputeMessage.SaslFinal(body.toString(UTF_8));
            default -> new ComputeMessage.UnsupportedAuthentication(code);
        };
    }

    /** The {@code C} field of an ErrorResponse: (Byte1 field, String value)*, Byte1(0). */
    private static String sqlState(ByteBuf body) {
        for (byte field = body.readByte(); field != 0; field = body.readByte()) {
            String value = cString(body);
            if (field == 'C') {
                return value;
            }
        }
        return "";
    }

    private static String cString(ByteBuf body) {
        int length = body.bytesBefore((byte) 0);
        if (length < 0) {
            throw new IndexOutOfBoundsException("unterminated string");
        }
        String text = body.toString(body.readerIndex(), length, UTF_8);
        body.skipBytes(length + 1);
        return text;
    }

    private void fail(ByteBuf in, List<Object> out, String problem) {
        failed = true;
        in.skipBytes(in.readableBytes());
        out.add(new ComputeMessage.Malformed(problem));
    }
}
