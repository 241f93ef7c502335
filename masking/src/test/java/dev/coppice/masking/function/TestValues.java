package dev.coppice.masking.function;

import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.PgNumeric;
import dev.coppice.masking.function.number.IntegerMask;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Functions on values as tests write them. */
public final class TestValues {
    static final MaskKey KEY =
            new MaskKey("test", "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));

    private TestValues() {}

    public static PseudoRandom random() {
        return new PseudoRandom(KEY);
    }

    public static BoundFunction bind(String function, ScalarType type) {
        return bind(function, DataType.of(type));
    }

    public static BoundFunction bind(String function, DataType type) {
        return MaskFunctions.bind(FunctionCall.parse(function), new ColumnTarget("c", type, -1));
    }

    public static String text(String function, String value) {
        return text(random(), bind(function, ScalarType.TEXT).mask(), value);
    }

    public static String text(PseudoRandom random, ValueMask mask, String value) {
        byte[] masked = Objects.requireNonNull(mask.mask(random, value.getBytes(StandardCharsets.UTF_8)));
        return new String(masked, StandardCharsets.UTF_8);
    }

    public static long number(String function, ScalarType type, long value) {
        byte[] masked = bind(function, type).mask().mask(random(), IntegerMask.encode(type, value));
        return IntegerMask.decode(type, Objects.requireNonNull(masked));
    }

    public static BigDecimal numeric(String function, String value) {
        byte[] payload = PgNumeric.encode(new BigDecimal(value));
        byte[] masked = bind(function, ScalarType.NUMERIC).mask().mask(random(), payload);
        return Objects.requireNonNull(PgNumeric.decode(Objects.requireNonNull(masked)));
    }
}
