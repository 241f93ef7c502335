package dev.coppice.masking.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.masking.function.time.TemporalFunctions;
import dev.coppice.masking.function.value.RefusedFunctionException;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The functions that people know from PostgreSQL Anonymizer and Neon's API: each masks in place, or says why not. */
class VocabularyTest {
    private static final Map<ScalarType, List<String>> CALLS = Map.of(
            ScalarType.TEXT,
            List.of(
                    // Neon's console and its documentation.
                    "anon.dummy_first_name()",
                    "anon.dummy_last_name()",
                    "anon.dummy_name()",
                    "anon.dummy_free_email()",
                    "pg_catalog.concat(anon.dummy_uuidv4(), '@example.com')",
                    "anon.partial(c, 2, 'XXX-XXXX', 2)",
                    "anon.partial_email(c)",
                    "anon.hash(c)",
                    "anon.digest(c, 'salt', 'sha256')",
                    "anon.random_string(10)",
                    "anon.random_string('[5,10]'::int4range)",
                    "anon.random_phone('+33')",
                    "anon.random_zip()",
                    "anon.random_hash(c)",
                    "anon.random_in(ARRAY['a', 'b'])",
                    "anon.random_phone_with_format('+1-555-###-####')",
                    "anon.random_number_with_format('^##.###')",
                    "anon.lorem_ipsum(characters := 20)",
                    "anon.lorem_ipsum( words => 5 )",
                    "anon.fake_address()",
                    "anon.fake_city()",
                    "anon.fake_country()",
                    "anon.fake_company()",
                    "anon.fake_email()",
                    "anon.fake_first_name()",
                    "anon.fake_iban()",
                    "anon.fake_last_name()",
                    "anon.fake_postcode()",
                    "anon.fake_siret()",
                    "anon.pseudo_first_name(c, 'salt')",
                    "anon.pseudo_last_name(c)",
                    "anon.pseudo_email(c)",
                    "anon.pseudo_city(c)",
                    "anon.pseudo_country(c)",
                    "anon.pseudo_company(c)",
                    "anon.pseudo_iban(c)",
                    "anon.pseudo_siret(c)",
                    "anon.seeded_first_name(c)",
                    "anon.dummy_first_name_locale('fr_FR')",
                    "MASKED WITH FUNCTION anon.dummy_city_name()",
                    "MASKED WITH VALUE 'CONFIDENTIAL'",
                    "MASKED WITH VALUE NULL",
                    "null()",
                    "blank()",
                    "value('x')"),
            ScalarType.INT4,
            List.of(
                    "anon.noise(c, 0.33)",
                    "anon.random_int_between(1, 10)",
                    "anon.random_in_int4range('[5,10)')",
                    "pseudonym()",
                    "generalize(10)",
                    "value(0)"),
            ScalarType.INT8,
            List.of("anon.random_bigint_between(1, 10000000000)", "anon.random_in_int8range('(5,10]')"),
            ScalarType.NUMERIC,
            List.of("anon.random_in_numrange('[0.1,0.9)')", "anon.noise(c, 0.2)", "anon.dummy_latitude()"),
            ScalarType.FLOAT8,
            List.of("anon.random_double_precision()", "anon.random_real()", "anon.dummy_longitude()"),
            ScalarType.DATE,
            List.of(
                    "anon.random_date()",
                    "anon.random_date_between('1950-01-01', '2000-12-31')",
                    "anon.random_date_between(DATE '1950-01-01', '2000-12-31'::date)",
                    "anon.random_in_daterange('[2001-01-01,2002-01-01)')",
                    "anon.dnoise(c, '2 years'::interval)",
                    "anon.dnoise(c, interval '2 weeks')",
                    "generalize('month')"),
            ScalarType.TIMESTAMPTZ,
            List.of(
                    "anon.random_in_tsrange('[\"2001-01-01 00:00:00\",\"2002-01-01 00:00:00\")')",
                    "anon.random_in_tstzrange('[2001-01-01,2002-01-01]')",
                    "anon.dnoise(c, '3 days')"),
            ScalarType.TIME,
            List.of("anon.random_time()", "random_between('08:00', '17:30:00')"),
            ScalarType.INET,
            List.of("anon.dummy_ipv4()", "anon.dummy_ip()", "anon.dummy_ipv6()"),
            ScalarType.UUID,
            List.of("anon.dummy_uuidv4()", "pseudonym()"));

    @Test
    void each_call_masks_a_column_of_its_type_in_place() {
        for (Map.Entry<ScalarType, List<String>> each : CALLS.entrySet()) {
            for (String call : each.getValue()) {
                BoundFunction bound = MaskFunctions.bind(
                        FunctionCall.parse(call), new ColumnTarget("c", DataType.of(each.getKey()), -1));
                assertThat(bound.description()).as(call).isNotEmpty();
            }
        }
    }

    /** All of fake-rs's functions that PostgreSQL Anonymizer 2 has. */
    private static final List<String> DUMMIES =
            List.of(("bic bs bs_adj bs_noun bs_verb building_number buzzword buzzword_middle"
                            + " buzzword_tail catchphrase cell_number city_name city_prefix city_suffix color company_name company_suffix"
                            + " country_code country_name credit_card_number currency_code currency_name currency_symbol dir_path"
                            + " domain_suffix file_extension file_name file_path first_name free_email free_email_provider"
                            + " health_insurance_code hex_color hsl_color hsla_color industry ip ipv4 ipv6 isbn isbn10 isbn13 isin"
                            + " last_name licence_plate mac_address name name_with_title phone_number post_code profession"
                            + " rfc_status_code rgb_color rgba_color safe_email secondary_address secondary_address_type state_abbr"
                            + " state_name street_name street_suffix suffix timezone title user_agent username uuidv1 uuidv3 uuidv4"
                            + " uuidv5 valid_statux_code word words zip_code")
                    .split(" "));

    @Test
    void each_dummy_function_fits() {
        for (String name : DUMMIES) {
            String call = "anon.dummy_" + name + "()";
            for (String value : List.of("x", "Jo", "some words", "a value of some length: 1234 and more of it")) {
                String masked = TestValues.text(call, value);
                assertThat(masked.length()).as("%s of '%s'", call, value).isBetween(1, value.length());
            }
            assertThat(TestValues.text(call, "")).as(call).isEmpty();
        }
    }

    @Test
    void what_cannot_be_had_says_what_to_do_instead() {
        Map<String, String> reasons = Map.of(
                "anon.ternary(true, 'a', 'b')", "when",
                "anon.generalize_int4range(c, 10)", "generalize(step)",
                "anon.generalize_daterange(c, 'month')", "generalize('month')",
                "anon.shuffle_column('t', 'c', 'id')", "the other rows",
                "anon.random_id()", "pseudonym()",
                "anon.image_blur(c, 2)", "blank()",
                "anon.add_noise_on_numeric_column('t', 'c', 0.5)", "noise(ratio)",
                "md5(c)", "there is no function md5()",
                "anon.partial(d, 1, 'x', 1)", "reads d");
        reasons.forEach((call, reason) -> assertThatThrownBy(() -> TestValues.bind(call, ScalarType.TEXT))
                .as(call)
                .isInstanceOf(RefusedFunctionException.class)
                .hasMessageContaining(reason));
        assertThatThrownBy(() -> TestValues.bind("anon.random_in_int4range('[5,)')", ScalarType.INT4))
                .hasMessageContaining("no range with two bounds");
        assertThatThrownBy(() -> TestValues.bind("random_between('9:00', 'x')", ScalarType.TIME))
                .isInstanceOf(RefusedFunctionException.class);
    }

    @Test
    void ranges_and_times_of_day_are_kept_to() {
        for (long value = 0; value < 500; value++) {
            assertThat(TestValues.number("random_in_int4range('[5,8)')", ScalarType.INT4, value))
                    .isBetween(5L, 7L);
            assertThat(TestValues.number("random_in_int4range('(5,8]')", ScalarType.INT4, value))
                    .isBetween(6L, 8L);
        }
        ValueMask mask = TestValues.bind("random_between('08:00', '17:30')", ScalarType.TIME)
                .mask();
        long hour = 3_600_000_000L;
        long seen = 0;
        for (int i = 0; i < 500; i++) {
            byte[] masked = java.util.Objects.requireNonNull(
                    mask.mask(TestValues.random(), TemporalFunctions.bytes(i * 1_000_000L)));
            long micros = dev.coppice.masking.format.LittleEndian.i64(masked, 0);
            assertThat(micros).isBetween(8 * hour, 17 * hour + hour / 2);
            seen |= 1L << micros / hour;
        }
        assertThat(Long.bitCount(seen)).isEqualTo(10);
        String number = TestValues.text("random_number_with_format('^##-##')", "123456");
        assertThat(number).matches("[1-9]\\d\\d-\\d\\d");
    }

    @Test
    void a_million_addresses_stay_a_million() {
        ValueMask mask = TestValues.bind("pseudonym_email()", ScalarType.TEXT).mask();
        dev.coppice.masking.crypto.PseudoRandom random = TestValues.random();
        String[] domains = {"example.com", "mail.example.org", "x.de", "firma.example"};
        long[] fingerprints = new long[1_000_000];
        for (int i = 0; i < fingerprints.length; i++) {
            String address =
                    (i % 3 == 0 ? "user" : i % 3 == 1 ? "first.last" : "o'neil+tag") + i + "@" + domains[i % 4];
            byte[] masked =
                    java.util.Objects.requireNonNull(mask.mask(random, address.getBytes(StandardCharsets.US_ASCII)));
            fingerprints[i] = fingerprint(masked);
        }
        Arrays.sort(fingerprints);
        assertThat(Arrays.stream(fingerprints).distinct().count()).isEqualTo(fingerprints.length);
    }

    /** 64 bits of FNV-1a, mixed: among 10^6 values two have the same with a chance of 3 in 10^8, and the values are always the same. */
    private static long fingerprint(byte[] bytes) {
        long hash = 0xcbf29ce484222325L;
        for (byte each : bytes) {
            hash = (hash ^ each & 0xFF) * 0x100000001b3L;
        }
        return hash ^ hash >>> 29;
    }

    @Test
    void addresses_and_numbers_stay_valid() {
        java.util.regex.Pattern email = java.util.regex.Pattern.compile("[a-z0-9.+'_-]+@[a-z0-9.-]+\\.[a-z]{2,}");
        List<String> masked = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            String address = "jane.doe" + i + "@mail" + i % 7 + ".example.com";
            for (String call : List.of("pseudonym_email()", "dummy_email()", "dummy_free_email()", "fake_email()")) {
                String value = TestValues.text(call, address);
                assertThat(value).matches(email);
                masked.add(value);
            }
            assertThat(TestValues.text("dummy_phone_number()", "+1 (555) 01%02d-%04d".formatted(i % 100, i)))
                    .matches("\\+1 \\(\\d{3}\\) \\d{4}-\\d{4}");
        }
        assertThat(masked).noneMatch(value -> value.contains("doe"));
    }
}
