package dev.coppice.proxy.http.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Writes JSON strings. */
public final class JsonText {
    private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);
    private static final byte[] NULL = "null".getBytes(UTF_8);
    private static final int FIRST_PRINTABLE = 0x20;

    private JsonText() {}

    /** Appends {@code "name":}. */
    public static void name(ByteBuf out, String name) {
        string(out, name);
        out.writeByte(':');
    }

    /** Appends a string, or null. */
    public static void string(ByteBuf out, @Nullable String text) {
        if (text == null) {
            out.writeBytes(NULL);
        } else {
            byte[] bytes = text.getBytes(UTF_8);
            out.writeByte('"');
            for (byte each : bytes) {
                escaped(out, each);
            }
            out.writeByte('"');
        }
    }

    /** Appends {@code length} bytes of UTF-8 as a string. */
    public static void string(ByteBuf out, ByteBuf in, int start, int length) {
        out.writeByte('"');
        int end = start + length;
        int plain = start;
        for (int i = start; i < end; i++) {
            byte each = in.getByte(i);
            if (each == '"' || each == '\\' || (each >= 0 && each < FIRST_PRINTABLE)) {
                out.writeBytes(in, plain, i - plain);
                escaped(out, each);
                plain = i + 1;
            }
        }
        out.writeBytes(in, plain, end - plain);
        out.writeByte('"');
    }

    public static void raw(ByteBuf out, String json) {
        out.writeCharSequence(json, UTF_8);
    }

    private static void escaped(ByteBuf out, byte each) {
        switch (each) {
            case '"', '\\' -> out.writeByte('\\').writeByte(each);
            case '\n' -> out.writeByte('\\').writeByte('n');
            case '\r' -> out.writeByte('\\').writeByte('r');
            case '\t' -> out.writeByte('\\').writeByte('t');
            default -> {
                if (each >= 0 && each < FIRST_PRINTABLE) {
                    raw(out, "\\u00");
                    out.writeByte(HEX[each >> 4]).writeByte(HEX[each & 0xF]);
                } else {
                    out.writeByte(each);
                }
            }
        }
    }
}
