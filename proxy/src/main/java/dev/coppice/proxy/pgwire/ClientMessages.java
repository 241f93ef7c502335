package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Map;

/** Encodes the messages that we, as a client, send to a compute. Every method returns a new buffer the caller owns. */
public final class ClientMessages {
    private static final int CANCEL_REQUEST = 80877102;

    private ClientMessages() {}

    /** StartupMessage of protocol 3.0: every supported Postgres speaks it, and its short cancel keys stay inside. */
    public static ByteBuf startup(ByteBufAllocator alloc, Map<String, String> parameters) {
        ByteBuf out = alloc.buffer().writeInt(0).writeInt(ProtocolVersion.V3_0.toWire());
        parameters.forEach((name, value) -> {
            cString(out, name);
            cString(out, value);
        });
        out.writeByte(0);
        return out.setInt(0, out.readableBytes());
    }

    /** CancelRequest. */
    public static ByteBuf cancelRequest(ByteBufAllocator alloc, CancelKey key) {
        byte[] secret = key.secret();
        return alloc.buffer()
                .writeInt(3 * Integer.BYTES + secret.length)
                .writeInt(CANCEL_REQUEST)
                .writeInt(key.processId())
                .writeBytes(secret);
    }

    /** SASLInitialResponse. */
    public static ByteBuf saslInitialResponse(ByteBufAllocator alloc, String mechanism, String data) {
        ByteBuf out = alloc.buffer().writeByte('p').writeInt(0);
        cString(out, mechanism);
        byte[] bytes = data.getBytes(UTF_8);
        out.writeInt(bytes.length).writeBytes(bytes);
        return out.setInt(1, out.readableBytes() - 1);
    }

    /** SASLResponse. */
    public static ByteBuf saslResponse(ByteBufAllocator alloc, String data) {
        byte[] bytes = data.getBytes(UTF_8);
        return alloc.buffer()
                .writeByte('p')
                .writeInt(Integer.BYTES + bytes.length)
                .writeBytes(bytes);
    }

    /** Query. */
    public static ByteBuf query(ByteBufAllocator alloc, String sql) {
        ByteBuf out = alloc.buffer().writeByte('Q').writeInt(0);
        cString(out, sql);
        return out.setInt(1, out.readableBytes() - 1);
    }

    /**
     * Parse.
     *
     * @param content everything behind the statement's name: the query, and the number and object ids of its types
     */
    public static ByteBuf parse(ByteBufAllocator alloc, String name, byte[] content) {
        ByteBuf out = alloc.buffer().writeByte('P').writeInt(0);
        cString(out, name);
        out.writeBytes(content);
        return out.setInt(1, out.readableBytes() - 1);
    }

    /** Flush. */
    public static ByteBuf flush(ByteBufAllocator alloc) {
        return alloc.buffer(1 + Integer.BYTES).writeByte('H').writeInt(Integer.BYTES);
    }

    /** CopyFail. */
    public static ByteBuf copyFail(ByteBufAllocator alloc, String why) {
        ByteBuf out = alloc.buffer().writeByte('f').writeInt(0);
        cString(out, why);
        return out.setInt(1, out.readableBytes() - 1);
    }

    /** Close of a prepared statement. */
    public static ByteBuf closeStatement(ByteBufAllocator alloc, String name) {
        return named(alloc, 'C', name);
    }

    /** Describe of a prepared statement. */
    public static ByteBuf describeStatement(ByteBufAllocator alloc, String name) {
        return named(alloc, 'D', name);
    }

    private static ByteBuf named(ByteBufAllocator alloc, char type, String name) {
        ByteBuf out = alloc.buffer().writeByte(type).writeInt(0).writeByte('S');
        cString(out, name);
        return out.setInt(1, out.readableBytes() - 1);
    }

    /**
     * The beginning of a Bind: header, portal and statement.
     *
     * @param portal with its terminating zero
     * @param restBytes what follows behind it
     */
    public static ByteBuf bindBeginning(ByteBufAllocator alloc, ByteBuf portal, String statement, int restBytes) {
        ByteBuf out = alloc.buffer().writeByte('B').writeInt(0).writeBytes(portal);
        cString(out, statement);
        return out.setInt(1, out.readableBytes() - 1 + restBytes);
    }

    private static void cString(ByteBuf out, String text) {
        out.writeCharSequence(text, UTF_8);
        out.writeByte(0);
    }
}
