package dev.coppice.proxy.http.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/**
 * Turns Postgres's text format into JSON where the types correspond: {@code bool}, the numbers that JavaScript can hold
 * ({@code int2}, {@code int4}, {@code float4}, {@code float8}), {@code json} and {@code jsonb}, and arrays of built-in types.
 * Everything else stays a string, {@code int8} and {@code numeric} too.
 */
public final class JsonValue {
    /** What an element becomes. */
    private enum Kind {
        STRING,
        BOOLEAN,
        NUMBER,
        JSON
    }

    /** As deep as array_in goes (MAXDIM). */
    private static final int MAX_DEPTH = 6;

    /** By object id, from pg_type.dat. */
    private static final Map<Integer, Kind> SCALARS = Map.of(
            16,
            Kind.BOOLEAN,
            21,
            Kind.NUMBER,
            23,
            Kind.NUMBER,
            700,
            Kind.NUMBER,
            701,
            Kind.NUMBER,
            114,
            Kind.JSON,
            3802,
            Kind.JSON);

    /**
     * Array types whose elements are separated by a comma: of bool, bytea, char, name, int8, int2, int4, text, oid, bpchar,
     * varchar, float4, float8, inet, cidr, macaddr, xml, json, jsonb, uuid, date, time, timestamp, timestamptz, timetz,
     * interval, numeric, bit, varbit.
     */
    private static final Map<Integer, Kind> ARRAYS = Map.ofEntries(
            Map.entry(1000, Kind.BOOLEAN),
            Map.entry(1001, Kind.STRING),
            Map.entry(1002, Kind.STRING),
            Map.entry(1003, Kind.STRING),
            Map.entry(1016, Kind.STRING),
            Map.entry(1005, Kind.NUMBER),
            Map.entry(1007, Kind.NUMBER),
            Map.entry(1009, Kind.STRING),
            Map.entry(1028, Kind.STRING),
            Map.entry(1014, Kind.STRING),
            Map.entry(1015, Kind.STRING),
            Map.entry(1021, Kind.NUMBER),
            Map.entry(1022, Kind.NUMBER),
            Map.entry(1041, Kind.STRING),
            Map.entry(651, Kind.STRING),
            Map.entry(1040, Kind.STRING),
            Map.entry(143, Kind.STRING),
            Map.entry(199, Kind.JSON),
            Map.entry(3807, Kind.JSON),
            Map.entry(2951, Kind.STRING),
            Map.entry(1182, Kind.STRING),
            Map.entry(1183, Kind.STRING),
            Map.entry(1115, Kind.STRING),
            Map.entry(1185, Kind.STRING),
            Map.entry(1270, Kind.STRING),
            Map.entry(1187, Kind.STRING),
            Map.entry(1231, Kind.STRING),
            Map.entry(1561, Kind.STRING),
            Map.entry(1563, Kind.STRING));

    private JsonValue() {}

    /** Appends a value that is not NULL. */
    public static void append(ByteBuf out, int type, ByteBuf in, int start, int length) {
        Kind array = ARRAYS.get(type);
        if (array != null) {
            array(out, in.toString(start, length, UTF_8), array);
            return;
        }
        Kind scalar = SCALARS.getOrDefault(type, Kind.STRING);
        if (scalar == Kind.STRING) {
            JsonText.string(out, in, start, length);
        } else {
            element(out, in.toString(start, length, UTF_8), scalar);
        }
    }

    private static void element(ByteBuf out, String text, Kind kind) {
        switch (kind) {
            case BOOLEAN -> JsonText.raw(out, text.equals("t") ? "true" : "false");
            case NUMBER -> {
                // NaN, Infinity and -Infinity are no JSON numbers.
                if (text.endsWith("N") || text.endsWith("y")) {
                    JsonText.string(out, text);
                } else {
                    JsonText.raw(out, text);
                }
            }
            case JSON -> JsonText.raw(out, text);
            case STRING -> JsonText.string(out, text);
        }
    }

    /** As array_out writes it, behind a decoration of bounds ({@code [2:3]={...}}) where there is one. */
    private static void array(ByteBuf out, String text, Kind kind) {
        int at = text.indexOf('{');
        int undo = out.writerIndex();
        if (at < 0 || !elements(out, text, at, kind)) {
            out.writerIndex(undo);
            JsonText.string(out, text);
        }
    }

    /** @return false when it is no array as expected */
    private static boolean elements(ByteBuf out, String text, int from, Kind kind) {
        int depth = 0;
        int at = from;
        while (at < text.length()) {
            char c = text.charAt(at);
            switch (c) {
                case '{' -> {
                    if (++depth > MAX_DEPTH) {
                        return false;
                    }
                    out.writeByte('[');
                    at++;
                }
                case '}' -> {
                    depth--;
                    out.writeByte(']');
                    at++;
                    if (depth == 0) {
                        return at == text.length();
                    }
                }
                case ',' -> {
                    out.writeByte(',');
                    at++;
                }
                case '"' -> at = quoted(out, text, at + 1, kind);
                default -> at = plain(out, text, at, kind);
            }
        }
        return false;
    }

    private static int quoted(ByteBuf out, String text, int from, Kind kind) {
        StringBuilder element = new StringBuilder();
        int at = from;
        while (at < text.length() && text.charAt(at) != '"') {
            if (text.charAt(at) == '\\' && at + 1 < text.length()) {
                at++;
            }
            element.append(text.charAt(at++));
        }
        element(out, element.toString(), kind);
        return at + 1;
    }

    private static int plain(ByteBuf out, String text, int from, Kind kind) {
        int end = from;
        while (end < text.length() && text.charAt(end) != ',' && text.charAt(end) != '}') {
            end++;
        }
        String element = text.substring(from, end);
        if (element.equals("NULL")) {
            JsonText.string(out, null);
        } else {
            element(out, element, kind);
        }
        return end;
    }
}
