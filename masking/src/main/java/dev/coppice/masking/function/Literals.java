package dev.coppice.masking.function;

import dev.coppice.masking.format.JsonValue.JsonArray;
import dev.coppice.masking.format.JsonValue.JsonLiteral;
import dev.coppice.masking.format.Jsonb;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PgArray;
import dev.coppice.masking.function.binary.BytesMasks;
import dev.coppice.masking.function.number.FloatMask;
import dev.coppice.masking.function.number.IntegerMask;
import dev.coppice.masking.function.number.NumberFunctions;
import dev.coppice.masking.function.number.NumericMask;
import dev.coppice.masking.function.number.SimpleMasks;
import dev.coppice.masking.function.text.TextFunctions;
import dev.coppice.masking.function.text.TextMask;
import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.time.TemporalMask;
import dev.coppice.masking.function.value.ConstantMask;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.DataType.Array;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Label;
import dev.coppice.masking.layout.DataType.Range;
import dev.coppice.masking.layout.DataType.Scalar;
import dev.coppice.masking.layout.DataType.Unsupported;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Constants of a type, and the value that each type has for "nothing here". */
final class Literals {
    private Literals() {}

    /** A mask that always gives what {@code text} means in the type. */
    static ValueMask constant(ColumnTarget target, String text) {
        return switch (target.type()) {
            case Scalar(ScalarType type) -> scalar(target, type, text);
            case Enumeration type -> {
                byte[] value = new byte[Integer.BYTES];
                Label label = type.labels().stream()
                        .filter(each -> each.text().equals(text))
                        .findFirst()
                        .orElseThrow(() -> refused(target, text, "it is none of the labels"));
                LittleEndian.put32(value, 0, label.oid());
                yield new ConstantMask(true, value, null);
            }
            case Array type when text.strip().equals("{}") -> blankMask(PgArray.empty(type.elementOid()));
            case Array ignored -> throw refused(target, text, "of arrays only '{}' can be");
            case Range type when text.strip().equals("empty") -> blankMask(SimpleMasks.emptyRange(type));
            case Range ignored -> throw refused(target, text, "of ranges only 'empty' can be");
            case Unsupported ignored -> throw refused(target, text, "of this type only NULL can be");
        };
    }

    private static ValueMask blankMask(byte[] blank) {
        return new ConstantMask(false, blank, blank);
    }

    private static RefusedFunctionException refused(ColumnTarget target, String text, String why) {
        return new RefusedFunctionException("'" + text + "' cannot be the constant for " + target.column() + " of type "
                + target.type().name() + ": " + why);
    }

    private static ValueMask scalar(ColumnTarget target, ScalarType type, String text) {
        try {
            return switch (type.family()) {
                case TEXT -> new TextMask(type, new TextFunctions.Constant(text));
                case INTEGER -> IntegerMask.of(type, new NumberFunctions.Constant(new BigDecimal(text.strip())));
                case FLOAT -> new FloatMask(type, new NumberFunctions.Constant(new BigDecimal(text.strip())));
                case NUMERIC ->
                    NumericMask.of(target.typeModifier(), new NumberFunctions.Constant(new BigDecimal(text.strip())));
                case DATE, TIMESTAMP ->
                    new TemporalMask(type, new TemporalFunctions.Constant(TemporalFunctions.parse(text)));
                case TIME ->
                    new TemporalMask(
                            type,
                            new TemporalFunctions.Constant(TemporalFunctions.parse("2000-01-01T" + text.strip())));
                case BOOLEAN -> fixed(bool(target, text));
                case UUID -> fixed(uuid(UUID.fromString(text.strip())));
                case MAC_ADDRESS -> fixed(HexFormat.of().parseHex(text.strip().replaceAll("[:.-]", "")), type.length());
                case NETWORK -> network(target, type, text.strip());
                case BINARY ->
                    new ConstantMask(
                            false, HexFormat.of().parseHex(text.strip().replaceFirst("^\\\\x", "")), new byte[0]);
                case SINGLE_CHAR -> fixed(TextFunctions.utf8(text), 1);
                case XML -> new ConstantMask(false, TextFunctions.utf8(text), new byte[0]);
                case JSON -> json(target, text);
                case JSONB -> jsonb(target, text);
                case INTERVAL, BITS, TSVECTOR, HSTORE, POINT, OPAQUE_FIXED, OPAQUE ->
                    throw refused(target, text, "of this type there are no constants; use blank() or null()");
            };
        } catch (NumberFormatException e) {
            throw refused(target, text, "it is no number");
        } catch (IllegalArgumentException e) {
            throw refused(target, text, "it is no " + type.typeName());
        }
    }

    private static ValueMask fixed(byte[] value) {
        return new ConstantMask(true, value, null);
    }

    private static ValueMask fixed(byte[] value, int length) {
        if (value.length != length) {
            throw new IllegalArgumentException("wrong length");
        }
        return fixed(value);
    }

    private static byte[] bool(ColumnTarget target, String text) {
        return switch (text.strip()) {
            case "true", "t" -> new byte[] {1};
            case "false", "f" -> new byte[1];
            default -> throw refused(target, text, "it is neither true nor false");
        };
    }

    private static byte[] uuid(UUID uuid) {
        byte[] bytes = new byte[16];
        LittleEndian.put64(bytes, 0, Long.reverseBytes(uuid.getMostSignificantBits()));
        LittleEndian.put64(bytes, 8, Long.reverseBytes(uuid.getLeastSignificantBits()));
        return bytes;
    }

    private static ValueMask network(ColumnTarget target, ScalarType type, String text) {
        try {
            byte[] address = InetAddress.ofLiteral(text).getAddress();
            if (address.length != 4) {
                throw refused(target, text, "only IPv4 addresses fit everywhere");
            }
            byte[] value = {2, 32, address[0], address[1], address[2], address[3]};
            return new ConstantMask(false, value, value);
        } catch (IllegalArgumentException e) {
            throw refused(target, text, "it is no " + type.typeName() + " without prefix length");
        }
    }

    private static ValueMask json(ColumnTarget target, String text) {
        return switch (text.strip()) {
            case "{}", "[]", "0" -> new ConstantMask(false, TextFunctions.utf8(text.strip()), new byte[] {'0'});
            default -> throw refused(target, text, "of json only '{}', '[]' and '0' can be");
        };
    }

    private static ValueMask jsonb(ColumnTarget target, String text) {
        return switch (text.strip()) {
            case "{}" -> blankMask(Jsonb.emptyObject());
            case "[]" -> blankMask(Jsonb.encode(new JsonArray(List.of())));
            case "null" -> new ConstantMask(false, Jsonb.encode(JsonLiteral.NULL), Jsonb.emptyObject());
            default -> throw refused(target, text, "of jsonb only '{}', '[]' and 'null' can be");
        };
    }

    /** The value of a type that stands for "nothing here"; null if it has none. */
    static byte @Nullable [] blank(DataType type) {
        return switch (type) {
            case Scalar(ScalarType scalar) -> blank(scalar);
            case Enumeration enumeration ->
                enumeration.labels().isEmpty() ? null : new SimpleMasks.RandomLabel(enumeration).blank();
            case Array array -> PgArray.empty(array.elementOid());
            case Range range -> SimpleMasks.emptyRange(range);
            case Unsupported ignored -> null;
        };
    }

    private static byte @Nullable [] blank(ScalarType type) {
        return switch (type.family()) {
            case TEXT -> type == ScalarType.NAME ? new byte[type.length()] : new byte[0];
            case BINARY, XML -> new byte[0];
            case JSON -> new byte[] {'0'};
            case JSONB -> Jsonb.emptyObject();
            case NUMERIC -> new NumericMask(null, new NumberFunctions.Pseudonym()).blank();
            case NETWORK -> new BytesMasks.Network(type, true).blank();
            case BITS, TSVECTOR -> new byte[4];
            // Version 2 of the format, no pairs.
            case HSTORE -> new byte[] {0, 0, 0, (byte) 0x80};
            case OPAQUE -> null;
            case BOOLEAN,
                    SINGLE_CHAR,
                    INTEGER,
                    POINT,
                    OPAQUE_FIXED,
                    FLOAT,
                    MAC_ADDRESS,
                    DATE,
                    TIME,
                    TIMESTAMP,
                    INTERVAL,
                    UUID -> new byte[type.length()];
        };
    }

    /** A blank bpchar has as many blanks as its type says: a function, not a constant. */
    static @Nullable ValueMask blankMask(DataType type) {
        if (type instanceof Scalar(ScalarType scalar) && scalar == ScalarType.BPCHAR) {
            return new TextMask(scalar, new TextFunctions.Constant(""));
        }
        byte[] blank = blank(type);
        boolean fixed = type instanceof Enumeration || type instanceof Scalar(ScalarType scalar) && scalar.length() > 0;
        return blank == null ? null : new ConstantMask(fixed, blank, blank);
    }

    /** NULL, or the blank value where there is no room for it. */
    static ValueMask nothing(DataType type) {
        return new ConstantMask(false, null, blank(type));
    }
}
