package dev.coppice.proxy.pgwire;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import java.util.List;

/** Encodes the messages a server sends to a client. Every method returns a new buffer that the caller owns. */
public final class ServerMessages {
    static final int AUTHENTICATION_OK = 0;
    static final int AUTHENTICATION_CLEARTEXT_PASSWORD = 3;
    static final int AUTHENTICATION_SASL = 10;
    static final int AUTHENTICATION_SASL_CONTINUE = 11;
    static final int AUTHENTICATION_SASL_FINAL = 12;

    private static final int HEADER_BYTES = 5;

    private ServerMessages() {}

    /** The one-byte answer to SSLRequest and GSSENCRequest. */
    public static ByteBuf encryptionAnswer(ByteBufAllocator alloc, boolean accepted) {
        return alloc.buffer(1).writeByte(accepted ? 'S' : 'N');
    }

    /** ErrorResponse, severity FATAL: the connection is closed after it. */
    public static ByteBuf error(ByteBufAllocator alloc, PgError error) {
        return error(alloc, error, "FATAL");
    }

    /** ErrorResponse, severity ERROR: the statement failed, the session goes on. */
    public static ByteBuf statementError(ByteBufAllocator alloc, PgError error) {
        return error(alloc, error, "ERROR");
    }

    private static ByteBuf error(ByteBufAllocator alloc, PgError error, String severity) {
        ByteBuf out = begin(alloc, 'E');
        field(out, 'S', severity);
        field(out, 'V', severity);
        field(out, 'C', error.state().code());
        field(out, 'M', error.message());
        error.hint().ifPresent(hint -> field(out, 'H', hint));
        out.writeByte(0);
        return end(out);
    }

    /** AuthenticationCleartextPassword. */
    public static ByteBuf cleartextPassword(ByteBufAllocator alloc) {
        return end(begin(alloc, 'R').writeInt(AUTHENTICATION_CLEARTEXT_PASSWORD));
    }

    /** AuthenticationOk. */
    public static ByteBuf authenticationOk(ByteBufAllocator alloc) {
        return end(begin(alloc, 'R').writeInt(AUTHENTICATION_OK));
    }

    /** AuthenticationSASL. */
    public static ByteBuf saslMechanisms(ByteBufAllocator alloc, List<String> mechanisms) {
        ByteBuf out = begin(alloc, 'R').writeInt(AUTHENTICATION_SASL);
        mechanisms.forEach(name -> cString(out, name));
        out.writeByte(0);
        return end(out);
    }

    /** AuthenticationSASLContinue. */
    public static ByteBuf saslContinue(ByteBufAllocator alloc, String data) {
        ByteBuf out = begin(alloc, 'R').writeInt(AUTHENTICATION_SASL_CONTINUE);
        ByteBufUtil.writeUtf8(out, data);
        return end(out);
    }

    /** AuthenticationSASLFinal followed by AuthenticationOk. */
    public static ByteBuf saslFinalAndOk(ByteBufAllocator alloc, String data) {
        ByteBuf out = begin(alloc, 'R').writeInt(AUTHENTICATION_SASL_FINAL);
        ByteBufUtil.writeUtf8(out, data);
        end(out);
        return out.writeByte('R').writeInt(2 * Integer.BYTES).writeInt(AUTHENTICATION_OK);
    }

    /** NegotiateProtocolVersion: the version we go on with, and the protocol options we do not know. */
    public static ByteBuf negotiateProtocolVersion(
            ByteBufAllocator alloc, ProtocolVersion version, List<String> unknownOptions) {
        ByteBuf out = begin(alloc, 'v').writeInt(version.toWire()).writeInt(unknownOptions.size());
        unknownOptions.forEach(name -> cString(out, name));
        return end(out);
    }

    /** Appends BackendKeyData to {@code out}. */
    public static void appendBackendKeyData(ByteBuf out, CancelKey key) {
        byte[] secret = key.secret();
        out.writeByte('K')
                .writeInt(2 * Integer.BYTES + secret.length)
                .writeInt(key.processId())
                .writeBytes(secret);
    }

    /** Appends ReadyForQuery to {@code out}. */
    public static void appendReadyForQuery(ByteBuf out, byte transactionStatus) {
        out.writeByte('Z').writeInt(Integer.BYTES + 1).writeByte(transactionStatus);
    }

    /** ReadyForQuery. */
    public static ByteBuf readyForQuery(ByteBufAllocator alloc, byte transactionStatus) {
        ByteBuf out = alloc.buffer(HEADER_BYTES + 1);
        appendReadyForQuery(out, transactionStatus);
        return out;
    }

    /** A message without a body: ParseComplete {@code 1}, CloseComplete {@code 3}. */
    public static ByteBuf empty(ByteBufAllocator alloc, char type) {
        return alloc.buffer(HEADER_BYTES).writeByte(type).writeInt(Integer.BYTES);
    }

    /** CommandComplete. */
    public static ByteBuf commandComplete(ByteBufAllocator alloc, String tag) {
        ByteBuf out = begin(alloc, 'C');
        cString(out, tag);
        return end(out);
    }

    private static ByteBuf begin(ByteBufAllocator alloc, char type) {
        return alloc.buffer().writeByte(type).writeInt(0);
    }

    private static ByteBuf end(ByteBuf message) {
        return message.setInt(1, message.readableBytes() - 1);
    }

    private static void field(ByteBuf out, char code, String value) {
        out.writeByte(code);
        cString(out, value);
    }

    private static void cString(ByteBuf out, String text) {
        out.writeCharSequence(text, UTF_8);
        out.writeByte(0);
    }
}
