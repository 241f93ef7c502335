package dev.coppice.masking.function.number;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.Seed;
import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PgNumeric;
import dev.coppice.masking.function.ColumnTarget;
import dev.coppice.masking.function.FunctionCall;
import dev.coppice.masking.function.Golden;
import dev.coppice.masking.function.MaskFunctions;
import dev.coppice.masking.function.TestValues;
import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.time.TemporalMask;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NumberFunctionsTest {
    private final PseudoRandom random = TestValues.random();

    @Test
    void integers_keep_sign_and_digits_and_stay_distinct() {
        Set<Long> seen = new HashSet<>();
        for (long value = Short.MIN_VALUE; value <= Short.MAX_VALUE; value++) {
            ValueMask mask = TestValues.bind("pseudonym()", ScalarType.INT2).mask();
            byte[] masked = Objects.requireNonNull(mask.mask(random, IntegerMask.encode(ScalarType.INT2, value)));
            long result = IntegerMask.decode(ScalarType.INT2, masked);
            assertThat(Long.toString(result)).hasSameSizeAs(Long.toString(value));
            assertThat(result < 0).isEqualTo(value < 0);
            seen.add(result);
        }
        assertThat(seen).hasSize(1 << 16);
    }

    @Test
    void the_ends_of_the_types_are_masked_too() {
        for (ScalarType type : List.of(ScalarType.INT4, ScalarType.INT8, ScalarType.OID)) {
            Set<Long> seen = new HashSet<>();
            for (long i = 0; i < 1000; i++) {
                long high = IntegerMask.greatest(DataType.of(type)) - i;
                long low = IntegerMask.least(DataType.of(type)) + i;
                seen.add(TestValues.number("pseudonym()", type, high));
                seen.add(TestValues.number("pseudonym()", type, low));
            }
            assertThat(seen).hasSize(2000);
        }
    }

    @Test
    void keys_of_a_group_stay_inside_the_narrowest_and_equal_across_types() {
        FunctionCall call = FunctionCall.parse("pseudonym()");
        ValueMask narrow = MaskFunctions.bind(call, new ColumnTarget("c", DataType.of(ScalarType.INT4), -1))
                .mask();
        ValueMask wide = MaskFunctions.bind(
                        call,
                        new ColumnTarget("c", DataType.of(ScalarType.INT8), -1, Integer.MIN_VALUE, Integer.MAX_VALUE))
                .mask();
        Set<Long> seen = new HashSet<>();
        for (long value = Integer.MAX_VALUE - 2000L; value <= Integer.MAX_VALUE + 2000L; value++) {
            long masked = IntegerMask.decode(
                    ScalarType.INT8,
                    Objects.requireNonNull(wide.mask(random, IntegerMask.encode(ScalarType.INT8, value))));
            seen.add(masked);
            if (value <= Integer.MAX_VALUE) {
                byte[] bytes = Objects.requireNonNull(narrow.mask(random, IntegerMask.encode(ScalarType.INT4, value)));
                assertThat(masked).isEqualTo(IntegerMask.decode(ScalarType.INT4, bytes));
            }
        }
        assertThat(seen).hasSize(4001);
    }

    @Test
    void a_range_of_keys_is_permuted_in_itself() {
        Set<Long> inside = new HashSet<>();
        Set<Long> all = new HashSet<>();
        for (long value = 0; value < 3000; value++) {
            long masked = TestValues.number("pseudonym(1, 1500)", ScalarType.INT4, value);
            all.add(masked);
            if (value >= 1 && value <= 1500) {
                assertThat(masked).isBetween(1L, 1500L);
                inside.add(masked);
            } else {
                assertThat(masked < 1 || masked > 1500).isTrue();
            }
        }
        assertThat(inside).hasSize(1500);
        assertThat(all).hasSize(3000);
    }

    @Test
    void numerics_keep_digits_places_and_size_whatever_their_scale() {
        long seed = Seed.next();
        Random choices = Seed.random(seed);
        NumericMask mask = new NumericMask(null, new NumberFunctions.Pseudonym());
        Set<BigDecimal> seen = new HashSet<>();
        Set<BigDecimal> values = new HashSet<>();
        for (int i = 0; i < 3000; i++) {
            BigDecimal value = new BigDecimal(new BigInteger(1 + choices.nextInt(120), choices), choices.nextInt(30));
            byte[] payload = PgNumeric.encode(value);
            byte[] masked = mask.mask(random, payload);
            assertThat(masked).as(Seed.message(seed)).hasSameSizeAs(payload);
            BigDecimal result = Objects.requireNonNull(PgNumeric.decode(masked));
            assertThat(result.scale()).isEqualTo(value.scale());
            assertThat(result.precision()).as(Seed.message(seed)).isEqualTo(value.precision());
            // The same number with more decimals.
            byte[] longer = mask.mask(random, PgNumeric.encode(value.setScale(value.scale() + 7)));
            assertThat(PgNumeric.decode(longer)).as(Seed.message(seed)).isEqualByComparingTo(result);
            if (values.add(value.stripTrailingZeros())) {
                assertThat(seen.add(result.stripTrailingZeros()))
                        .as(Seed.message(seed))
                        .isTrue();
            }
        }
    }

    @Test
    void results_fit_the_modifier_of_the_type_and_the_bytes_of_the_value() {
        int modifier = (5 << 16 | 2) + 4;
        NumericMask mask = NumericMask.of(modifier, new NumberFunctions.Noise(500));
        for (int i = 1; i < 1000; i++) {
            byte[] payload = PgNumeric.encode(BigDecimal.valueOf(i * 99L, 2));
            byte[] masked = mask.mask(random, payload);
            assertThat(masked.length).isLessThanOrEqualTo(payload.length);
            assertThat(Objects.requireNonNull(PgNumeric.decode(masked)).abs()).isLessThan(new BigDecimal("1000"));
        }
        byte[] nan = {0, (byte) 0xC0};
        assertThat(mask.mask(random, nan)).isEqualTo(nan);
    }

    @Test
    void noise_generalization_and_ranges_do_what_they_say() {
        for (long value = 1000; value < 2000; value++) {
            assertThat(TestValues.number("noise(0.1)", ScalarType.INT4, value))
                    .isBetween(value * 9 / 10 - 1, value * 11 / 10 + 1);
            assertThat(TestValues.number("random_int_between(5, 7)", ScalarType.INT4, value))
                    .isBetween(5L, 7L);
            assertThat(TestValues.number("generalize(100)", ScalarType.INT4, value))
                    .isEqualTo(value / 100 * 100);
        }
        assertThat(TestValues.number("generalize(10)", ScalarType.INT4, -1)).isEqualTo(-10);
        assertThat(TestValues.numeric("generalize(0.5)", "2.75")).isEqualByComparingTo("2.5");
        assertThat(TestValues.number("value(42)", ScalarType.INT2, 7)).isEqualTo(42);
        // Money counts cents.
        assertThat(TestValues.number("random_between(1, 2)", ScalarType.MONEY, 123456))
                .isBetween(100L, 200L);
    }

    @Test
    void times_are_moved_cut_and_drawn() {
        long day = TemporalMask.MICROS_PER_DAY;
        ValueMask month =
                TestValues.bind("generalize('month')", ScalarType.TIMESTAMP).mask();
        long value = TemporalFunctions.sinceEpoch(TemporalFunctions.parse("2026-11-21 09:30:00"), day);
        assertThat(micros(month, value))
                .isEqualTo(TemporalFunctions.sinceEpoch(TemporalFunctions.parse("2026-11-01"), day));
        ValueMask week =
                TestValues.bind("generalize('week')", ScalarType.TIMESTAMP).mask();
        assertThat(micros(week, value))
                .isEqualTo(TemporalFunctions.sinceEpoch(TemporalFunctions.parse("2026-11-16"), day));
        ValueMask hour =
                TestValues.bind("generalize('hour')", ScalarType.TIMESTAMPTZ).mask();
        assertThat(micros(hour, -1)).isEqualTo(-3_600_000_000L);
        ValueMask noise =
                TestValues.bind("dnoise('3 days')", ScalarType.TIMESTAMP).mask();
        assertThat(micros(noise, value))
                .isBetween(value - 3 * day, value + 3 * day)
                .isNotEqualTo(value);
        assertThat(micros(noise, Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
        ValueMask drawn = TestValues.bind("random_date_between('1990-01-01', '1990-12-31')", ScalarType.DATE)
                .mask();
        byte[] date = Objects.requireNonNull(drawn.mask(random, new byte[4]));
        assertThat(LittleEndian.i32(date, 0)).isBetween(-3652, -3288);
    }

    private long micros(ValueMask mask, long value) {
        return LittleEndian.i64(Objects.requireNonNull(mask.mask(random, TemporalFunctions.bytes(value))), 0);
    }

    @Test
    void results_are_the_same_for_ever() throws Exception {
        List<String> actual = new ArrayList<>();
        for (String call :
                List.of("pseudonym()", "noise(0.2)", "random_between(10, 20)", "generalize(7)", "value(3)")) {
            for (long value : new long[] {0, 7, -42, 12345, 2147483647, -2147483648}) {
                actual.add(call + " of int4 " + value + " is " + TestValues.number(call, ScalarType.INT4, value));
                actual.add(call + " of int8 " + value * 1000003 + " is "
                        + TestValues.number(call, ScalarType.INT8, value * 1000003));
            }
            for (String value : List.of("0", "1.50", "-123.456", "1000000", "99999999999999999999.9999")) {
                actual.add(call + " of numeric " + value + " is " + TestValues.numeric(call, value));
            }
        }
        Golden.compare("number-functions", actual);
    }
}
