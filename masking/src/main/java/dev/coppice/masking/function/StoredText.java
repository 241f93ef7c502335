package dev.coppice.masking.function;

import dev.coppice.masking.format.JsonValue;
import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.JsonValue.JsonNumber;
import dev.coppice.masking.format.JsonValue.JsonObject;
import dev.coppice.masking.format.JsonValue.JsonString;
import dev.coppice.masking.format.JsonValue.Member;
import dev.coppice.masking.format.Jsonb;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PgArray;
import dev.coppice.masking.format.PgNumeric;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.function.number.IntegerMask;
import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.time.TemporalMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.LocalTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;

/** Stored values as people read them: as Postgres prints them, or nearly so. */
public final class StoredText {
    /** What stands for values that cannot be shown as text here. */
    public static final String UNREADABLE = "(masked)";

    private StoredText() {}

    /** @param value a payload, or the bytes of a fixed length */
    public static String of(DataType type, byte[] value) {
        return switch (type) {
            case DataType.Scalar(ScalarType scalar) -> scalar(scalar, value);
            case DataType.Enumeration enumeration ->
                enumeration.labels().stream()
                        .filter(label -> label.oid() == LittleEndian.i32(value, 0))
                        .map(DataType.Label::text)
                        .findFirst()
                        .orElse(UNREADABLE);
            case DataType.Array array -> array(array, value);
            case DataType.Range ignored -> value[value.length - 1] == 1 ? "empty" : UNREADABLE;
            case DataType.Unsupported ignored -> UNREADABLE;
        };
    }

    private static String scalar(ScalarType type, byte[] value) {
        return switch (type.family()) {
            case TEXT, JSON, XML -> text(value);
            case SINGLE_CHAR -> value[0] == 0 ? "" : text(value);
            case INTEGER -> {
                long number = IntegerMask.decode(type, value);
                yield type == ScalarType.MONEY ? BigDecimal.valueOf(number, 2).toPlainString() : Long.toString(number);
            }
            case NUMERIC -> number(value);
            case FLOAT ->
                type == ScalarType.FLOAT4
                        ? Float.toString(Float.intBitsToFloat(LittleEndian.i32(value, 0)))
                        : Double.toString(Double.longBitsToDouble(LittleEndian.i64(value, 0)));
            case BOOLEAN -> Boolean.toString(value[0] != 0);
            case DATE -> date(LittleEndian.i32(value, 0));
            case TIMESTAMP -> timestamp(LittleEndian.i64(value, 0), type);
            case TIME ->
                LocalTime.ofNanoOfDay(LittleEndian.i64(value, 0) % TemporalMask.MICROS_PER_DAY * 1000)
                        .toString();
            case UUID ->
                new UUID(Long.reverseBytes(LittleEndian.i64(value, 0)), Long.reverseBytes(LittleEndian.i64(value, 8)))
                        .toString();
            case BINARY -> "\\x" + HexFormat.of().formatHex(value);
            case NETWORK -> network(value);
            case MAC_ADDRESS -> HexFormat.ofDelimiter(":").formatHex(value);
            case JSONB -> json(Jsonb.decode(value));
            case INTERVAL ->
                "%d months %d days %d microseconds"
                        .formatted(LittleEndian.i32(value, 12), LittleEndian.i32(value, 8), LittleEndian.i64(value, 0));
            case BITS, POINT, OPAQUE_FIXED, OPAQUE, TSVECTOR, HSTORE -> UNREADABLE;
        };
    }

    private static String text(byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        int end = text.indexOf('\0');
        return end < 0 ? text : text.substring(0, end);
    }

    private static String number(byte[] numeric) {
        BigDecimal number = PgNumeric.decode(numeric);
        return number == null ? "NaN" : number.toPlainString();
    }

    private static String date(int days) {
        return switch (days) {
            case Integer.MAX_VALUE -> "infinity";
            case Integer.MIN_VALUE -> "-infinity";
            default -> TemporalFunctions.EPOCH.plusDays(days).toString();
        };
    }

    private static String timestamp(long micros, ScalarType type) {
        if (micros == Long.MAX_VALUE || micros == Long.MIN_VALUE) {
            return micros > 0 ? "infinity" : "-infinity";
        }
        long day = Math.floorDiv(micros, TemporalMask.MICROS_PER_DAY);
        long ofDay = Math.floorMod(micros, TemporalMask.MICROS_PER_DAY);
        String time = LocalTime.ofNanoOfDay(ofDay * 1000).toString();
        return TemporalFunctions.EPOCH.plusDays(day) + " " + (time.length() == 5 ? time + ":00" : time)
                + (type == ScalarType.TIMESTAMPTZ ? "+00" : "");
    }

    private static String network(byte[] value) {
        try {
            byte[] address = java.util.Arrays.copyOfRange(value, 2, value.length);
            int bits = value[1] & 0xFF;
            String text = InetAddress.getByAddress(address).getHostAddress();
            return bits == address.length * Byte.SIZE ? text : text + "/" + bits;
        } catch (UnknownHostException e) {
            return UNREADABLE;
        }
    }

    private static String array(DataType.Array type, byte[] value) {
        PgArray array = PgArray.decode(value, new PgArray.ElementLayout(type.elementLength(), type.elementAlignment()));
        return array.elements().stream()
                .map(stored -> stored == null
                        ? "NULL"
                        : of(
                                type.element(),
                                type.elementLength() > 0 ? stored : Varlena.payload(stored, 0, stored.length)))
                .collect(Collectors.joining(",", "{", "}"));
    }

    /** As Postgres writes it; without recursion, because a document may be deeper than the stack. */
    private static String json(JsonValue root) {
        StringBuilder text = new StringBuilder();
        // What is still to be written: values, and the texts between them.
        Deque<Object> ahead = new ArrayDeque<>();
        ahead.push(root);
        while (!ahead.isEmpty()) {
            switch (ahead.pop()) {
                case JsonObject(List<Member> members) -> {
                    text.append('{');
                    ahead.push("}");
                    for (int i = members.size() - 1; i >= 0; i--) {
                        ahead.push(members.get(i).value());
                        ahead.push((i == 0 ? "" : ", ") + quoted(members.get(i).key()) + ": ");
                    }
                }
                case JsonArray(List<JsonValue> elements) -> {
                    text.append('[');
                    ahead.push("]");
                    for (int i = elements.size() - 1; i >= 0; i--) {
                        ahead.push(elements.get(i));
                        ahead.push(i == 0 ? "" : ", ");
                    }
                }
                case JsonString(byte[] utf8) -> text.append(quoted(utf8));
                case JsonNumber(byte[] numeric) -> text.append(number(numeric));
                case JsonLiteral literal -> text.append(literal.name().toLowerCase(Locale.ROOT));
                case Object between -> text.append(between);
            }
        }
        return text.toString();
    }

    private static String quoted(byte[] utf8) {
        String text = new String(utf8, StandardCharsets.UTF_8);
        StringBuilder quoted = new StringBuilder("\"");
        text.codePoints().forEach(letter -> {
            switch (letter) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\t' -> quoted.append("\\t");
                case '\r' -> quoted.append("\\r");
                default -> {
                    if (letter < ' ') {
                        quoted.append(String.format(Locale.ROOT, "\\u%04x", letter));
                    } else {
                        quoted.appendCodePoint(letter);
                    }
                }
            }
        });
        return quoted.append('"').toString();
    }
}
