package dev.coppice.proxy.pool.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What can be read in an ErrorResponse: Byte1 code and String value for each field, and a zero. Stateless; where a message is not there
 * to its end, only what is there is looked at.
 */
public final class ErrorText {
    private static final int HEADER_BYTES = 5;
    /** The severity, never translated. */
    private static final char SEVERITY = 'V';
    /** The function of Postgres's source that found the error. */
    private static final char ROUTINE = 'R';

    private ErrorText() {}

    /** The value of a field; empty when it is not there. */
    static String field(ByteBuf in, int totalBytes, char code) {
        int end = in.readerIndex() + Math.min(totalBytes, in.readableBytes());
        int at = in.readerIndex() + HEADER_BYTES;
        while (at < end && in.getByte(at) != 0) {
            int zero = in.indexOf(at + 1, end, (byte) 0);
            if (zero < 0) {
                return "";
            }
            if (in.getByte(at) == code) {
                return in.toString(at + 1, zero - at - 1, UTF_8);
            }
            at = zero + 1;
        }
        return "";
    }

    /** Whether it is the last thing that the server says. */
    public static boolean endsSession(ByteBuf in, int totalBytes) {
        String severity = field(in, totalBytes, SEVERITY);
        return severity.equals("FATAL") || severity.equals("PANIC");
    }

    /** Whether a login was refused because of a limit of its role or its database, and not because the server is full. */
    public static boolean isOwnLimit(byte[] message) {
        String routine = field(Unpooled.wrappedBuffer(message), message.length, ROUTINE);
        return routine.equals("InitializeSessionUserId") || routine.equals("CheckMyDatabase");
    }

    /** Whether it is there to its end, and this text in it. */
    public static boolean names(ByteBuf in, int totalBytes, String text) {
        if (in.readableBytes() < totalBytes) {
            return false;
        }
        ByteBuf message = in.slice(in.readerIndex(), totalBytes);
        byte[] wanted = text.getBytes(UTF_8);
        for (int at = message.indexOf(0, message.readableBytes(), wanted[0]);
                at >= 0 && at + wanted.length <= message.readableBytes();
                at = message.indexOf(at + 1, message.readableBytes(), wanted[0])) {
            int same = 1;
            while (same < wanted.length && message.getByte(at + same) == wanted[same]) {
                same++;
            }
            if (same == wanted.length) {
                return true;
            }
        }
        return false;
    }

    /** The message, which is there to its end, with other names for those that begin so and end in a number; the caller's to release. */
    public static ByteBuf renamed(ByteBuf in, int totalBytes, String prefix, UnaryOperator<String> names) {
        // Bytes of other encodings stay what they are.
        String text = in.toString(in.readerIndex() + HEADER_BYTES, totalBytes - HEADER_BYTES, ISO_8859_1);
        Matcher found = Pattern.compile(Pattern.quote(prefix) + "\\d+").matcher(text);
        String renamed = found.replaceAll(match -> Matcher.quoteReplacement(latin(names.apply(match.group()))));
        byte[] body = renamed.getBytes(ISO_8859_1);
        ByteBuf out = in.alloc().buffer(HEADER_BYTES + body.length);
        return out.writeByte('E').writeInt(Integer.BYTES + body.length).writeBytes(body);
    }

    /** A character for each byte. */
    private static String latin(String name) {
        return new String(name.getBytes(UTF_8), ISO_8859_1);
    }
}
