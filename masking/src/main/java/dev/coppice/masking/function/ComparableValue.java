package dev.coppice.masking.function;

import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PgNumeric;
import dev.coppice.masking.function.number.IntegerMask;
import dev.coppice.masking.function.text.Alphabet;
import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.time.TemporalMask;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.DataType.Enumeration;
import dev.coppice.masking.layout.DataType.Label;
import dev.coppice.masking.layout.DataType.Scalar;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Values that conditions can compare: numbers, texts, times, booleans, enums and UUIDs. */
public final class ComparableValue implements Comparable<ComparableValue> {
    private final @Nullable BigDecimal number;
    private final String text;

    private ComparableValue(@Nullable BigDecimal number, String text) {
        this.number = number;
        this.text = text;
    }

    private static ComparableValue of(long number) {
        return new ComparableValue(BigDecimal.valueOf(number), "");
    }

    private static ComparableValue of(String text) {
        return new ComparableValue(null, text);
    }

    /** Whether conditions can read a type. */
    public static boolean supports(DataType type) {
        return type instanceof Enumeration
                || type instanceof Scalar(ScalarType scalar)
                        && switch (scalar.family()) {
                            case TEXT, INTEGER, NUMERIC, DATE, TIMESTAMP, BOOLEAN, UUID -> scalar != ScalarType.MONEY;
                            default -> false;
                        };
    }

    /** Whether values of a type can be compared by order, as they are in SQL whatever the collation. */
    public static boolean isOrdered(DataType type) {
        return type instanceof Scalar(ScalarType scalar)
                && switch (scalar.family()) {
                    case INTEGER, NUMERIC, DATE, TIMESTAMP -> true;
                    default -> false;
                };
    }

    /** Whether values of a type are texts. */
    public static boolean isText(DataType type) {
        return type instanceof Scalar(ScalarType scalar) && scalar.family() == ScalarType.Family.TEXT;
    }

    /** A stored value (payload, or bytes of a fixed length); null if it compares with nothing (NaN). */
    public static @Nullable ComparableValue read(DataType type, byte[] value) {
        return switch (type) {
            case Enumeration ignored -> of(LittleEndian.u32(value, 0));
            case Scalar(ScalarType scalar) ->
                switch (scalar.family()) {
                    case TEXT -> of(text(scalar, value));
                    case INTEGER -> of(IntegerMask.decode(scalar, value));
                    case NUMERIC -> {
                        BigDecimal number = PgNumeric.decode(value);
                        yield number == null ? null : new ComparableValue(number, "");
                    }
                    case DATE -> of(LittleEndian.i32(value, 0));
                    case TIMESTAMP -> of(LittleEndian.i64(value, 0));
                    case BOOLEAN -> of(value[0]);
                    case UUID -> of(HexFormat.of().formatHex(value));
                    default -> null;
                };
            default -> null;
        };
    }

    private static String text(ScalarType type, byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        int end = type == ScalarType.NAME ? text.indexOf('\0') : -1;
        return canonical(type, end < 0 ? text : text.substring(0, end));
    }

    /** Texts that are equal in the type are equal after this. */
    private static String canonical(ScalarType type, String text) {
        return switch (type) {
            case BPCHAR -> text.replaceAll(" +$", "");
            case CITEXT -> Alphabet.fold(text);
            default -> text;
        };
    }

    /**
     * A literal of a type.
     *
     * @throws RefusedFunctionException if it is none
     */
    public static ComparableValue parse(DataType type, String literal) {
        try {
            return switch (type) {
                case Enumeration enumeration ->
                    of(Integer.toUnsignedLong(enumeration.labels().stream()
                            .filter(label -> label.text().equals(literal))
                            .map(Label::oid)
                            .findFirst()
                            .orElseThrow(() -> wrong(type, literal))));
                case Scalar(ScalarType scalar) ->
                    switch (scalar.family()) {
                        case TEXT -> of(canonical(scalar, literal));
                        case INTEGER, NUMERIC -> new ComparableValue(new BigDecimal(literal.strip()), "");
                        case DATE -> of(TemporalFunctions.sinceEpoch(TemporalFunctions.parse(literal), 1));
                        case TIMESTAMP ->
                            of(TemporalFunctions.sinceEpoch(
                                    TemporalFunctions.parse(literal), TemporalMask.MICROS_PER_DAY));
                        case BOOLEAN ->
                            switch (literal) {
                                case "true", "t" -> of(1);
                                case "false", "f" -> of(0);
                                default -> throw wrong(type, literal);
                            };
                        case UUID -> of(UUID.fromString(literal).toString().replace("-", ""));
                        default -> throw wrong(type, literal);
                    };
                default -> throw wrong(type, literal);
            };
        } catch (IllegalArgumentException e) {
            throw wrong(type, literal);
        }
    }

    private static RefusedFunctionException wrong(DataType type, String literal) {
        return new RefusedFunctionException("'" + literal + "' is no " + type.name());
    }

    /** The text, of a text. */
    public String text() {
        return text;
    }

    @Override
    public int compareTo(ComparableValue other) {
        return number != null && other.number != null ? number.compareTo(other.number) : text.compareTo(other.text);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ComparableValue value && compareTo(value) == 0;
    }

    @Override
    public int hashCode() {
        return number != null ? number.stripTrailingZeros().hashCode() : text.hashCode();
    }
}
