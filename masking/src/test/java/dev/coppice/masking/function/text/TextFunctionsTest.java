package dev.coppice.masking.function.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.Seed;
import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.function.Golden;
import dev.coppice.masking.function.TestValues;
import dev.coppice.masking.function.value.ValueMask;
import dev.coppice.masking.layout.ScalarType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TextFunctionsTest {
    private static final List<String> CALLS = List.of(
            "pseudonym()",
            "pseudonym_email()",
            "pseudonym_email('keep_domain')",
            "partial(2, '****', 2)",
            "partial_email()",
            "hash()",
            "random_string(12)",
            "random_with_format('DDD-XX')",
            "random_in('ähm', 'b', 'see')",
            "lorem_ipsum()",
            "dummy_credit_card_number()",
            "dummy_iban()",
            "dummy_phone_number()",
            "dummy_zip_code()",
            "dummy_email()",
            "dummy_free_email()",
            "dummy_first_name()",
            "fake_last_name()",
            "dummy_name()",
            "dummy_user_name()",
            "dummy_company_name()",
            "dummy_street_name()",
            "dummy_street_address()",
            "pseudo_city()",
            "dummy_country_name()",
            "dummy_country_code()",
            "dummy_profession()",
            "dummy_word()",
            "dummy_words()",
            "dummy_ipv4()",
            "dummy_ipv6()",
            "dummy_mac_address()",
            "dummy_uuidv4()",
            "value('constänt')");

    private static final List<String> ALPHABETS = List.of(
            "abcdefghijklmnopqrstuvwxyz",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "0123456789",
            " -_.@+/'\"\\",
            "àéîöüçñßÿÀÉÎÖÜÇÑ",
            "łśžőčŁŚŽŐČ",
            "αβγδςΑΒΓΔ",
            "абвгдАБВГД",
            "漢字東京都",
            "ひらがなカタカナ",
            "한글서울",
            "ابجد",
            "עברית",
            "😀🎉",
            "ภาษาไทย");

    private final PseudoRandom random = TestValues.random();

    private static String randomText(Random choices) {
        StringBuilder text = new StringBuilder();
        int parts = choices.nextInt(5);
        for (int i = 0; i < parts; i++) {
            int[] alphabet = ALPHABETS
                    .get(choices.nextInt(ALPHABETS.size()))
                    .codePoints()
                    .toArray();
            for (int n = choices.nextInt(12); n > 0; n--) {
                text.appendCodePoint(alphabet[choices.nextInt(alphabet.length)]);
            }
        }
        return text.toString();
    }

    @Test
    void every_function_fits_and_gives_the_same_again() {
        long seed = Seed.next();
        Random choices = Seed.random(seed);
        for (String call : CALLS) {
            ValueMask mask = TestValues.bind(call, ScalarType.TEXT).mask();
            ValueMask again = TestValues.bind(call, ScalarType.VARCHAR).mask();
            for (int i = 0; i < 400; i++) {
                String value = i == 0 ? "" : i % 50 == 1 ? randomText(choices).repeat(30) : randomText(choices);
                String masked = TestValues.text(random, mask, value);
                assertThat(masked.codePointCount(0, masked.length()))
                        .as("%s of '%s', %s", call, value, Seed.message(seed))
                        .isLessThanOrEqualTo(value.codePointCount(0, value.length()));
                assertThat(masked.getBytes(StandardCharsets.UTF_8).length)
                        .as("%s of '%s', %s", call, value, Seed.message(seed))
                        .isLessThanOrEqualTo(value.getBytes(StandardCharsets.UTF_8).length);
                assertThat(TestValues.text(TestValues.random(), again, value)).isEqualTo(masked);
                assertThat(masked).doesNotContain("�");
            }
            byte[] identity = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
            assertThat(mask.substitute(random, identity)).as(call).hasSizeBetween(1, ValueMask.SUBSTITUTE_CAPACITY);
        }
    }

    @Test
    void pseudonyms_keep_the_shape_and_follow_the_case() {
        long seed = Seed.next();
        Random choices = Seed.random(seed);
        ValueMask mask = TestValues.bind("pseudonym()", ScalarType.TEXT).mask();
        ValueMask email = TestValues.bind("pseudonym_email()", ScalarType.TEXT).mask();
        for (int i = 0; i < 3000; i++) {
            String value = randomText(choices);
            String masked = TestValues.text(random, mask, value);
            int[] before = value.codePoints().toArray();
            int[] after = masked.codePoints().toArray();
            assertThat(after).as(Seed.message(seed)).hasSameSizeAs(before);
            for (int n = 0; n < before.length; n++) {
                assertThat(Alphabet.classify(after[n]))
                        .as("'%s' to '%s', %s", value, masked, Seed.message(seed))
                        .isEqualTo(Alphabet.classify(before[n]));
            }
            assertThat(TestValues.text(random, mask, Alphabet.fold(value)))
                    .as(Seed.message(seed))
                    .isEqualTo(Alphabet.fold(masked));
            assertThat(TestValues.text(random, email, Alphabet.fold(value)))
                    .as(Seed.message(seed))
                    .isEqualTo(Alphabet.fold(TestValues.text(random, email, value)));
        }
    }

    @Test
    void the_classes_of_characters_are_closed_disjoint_and_of_one_length() {
        for (int codePoint = 0; codePoint <= 0x10FFFF; codePoint++) {
            int kind = Alphabet.classify(codePoint);
            if (kind == Alphabet.KEPT || codePoint >= 0xD800 && codePoint <= 0xDFFF) {
                continue;
            }
            int index = Alphabet.index(kind, codePoint);
            assertThat(Alphabet.codePoint(kind, index)).isEqualTo(codePoint);
            int first = Alphabet.codePoint(kind, 0);
            int last = Alphabet.codePoint(kind, Alphabet.radix(kind) - 1);
            assertThat(Alphabet.classify(first)).isEqualTo(kind);
            assertThat(utf8Length(first)).isEqualTo(utf8Length(codePoint));
            assertThat(utf8Length(last)).isEqualTo(utf8Length(codePoint));
        }
        assertThat(Alphabet.fold("ÀŁΔДz")).isEqualTo("àłδдz");
    }

    private static int utf8Length(int codePoint) {
        return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8).length;
    }

    @Test
    void a_million_addresses_stay_a_million_addresses() {
        ValueMask mask = TestValues.bind("pseudonym_email()", ScalarType.TEXT).mask();
        int count = 1_000_000;
        long[] seen = new long[count];
        for (int i = 0; i < count; i++) {
            String value = switch (i % 3) {
                case 0 -> "user" + i + "@gmail.com";
                case 1 -> "u" + i + "@company" + i % 97 + ".org";
                default -> Integer.toString(i, 36) + ".x@mail.example.co.uk";
            };
            String masked = TestValues.text(random, mask, value);
            assertThat(masked.indexOf('@')).isEqualTo(value.indexOf('@'));
            seen[i] = PseudoRandom.label(masked);
        }
        Arrays.sort(seen);
        assertThat(Arrays.stream(seen).distinct().count()).isEqualTo(count);
    }

    @Test
    void short_texts_stay_distinct_in_all_of_their_shape() {
        ValueMask mask = TestValues.bind("pseudonym()", ScalarType.TEXT).mask();
        Set<String> seen = new HashSet<>();
        for (char a = 'a'; a <= 'z'; a++) {
            for (char b = 'A'; b <= 'Z'; b++) {
                for (char c = '0'; c <= '9'; c++) {
                    seen.add(TestValues.text(random, mask, "" + a + '-' + b + c));
                }
            }
        }
        assertThat(seen).hasSize(26 * 26 * 10).allMatch(text -> text.matches("[a-z]-[A-Z][0-9]"));
    }

    @Test
    void addresses_of_one_person_and_one_company_stay_together() {
        String one = TestValues.text("pseudonym_email()", "jane.doe@acme.com");
        assertThat(one).matches("[a-z]{4}\\.[a-z]{3}@[a-z]{4}\\.com").isNotEqualTo("jane.doe@acme.com");
        String other = TestValues.text("pseudonym_email()", "john@acme.com");
        assertThat(other.substring(other.indexOf('@'))).isEqualTo(one.substring(one.indexOf('@')));
        assertThat(TestValues.text("pseudonym_email('keep_domain')", "john@acme.com"))
                .endsWith("@acme.com");
        assertThat(TestValues.text("concat(anon.dummy_uuidv4(), '@example.com')", "john@acme.com"))
                .isEqualTo(other);
    }

    @Test
    void partial_never_shows_all_of_a_text() {
        assertThat(TestValues.text("anon.partial(c, 2, 'XXXX', 2)", "0123456789"))
                .isEqualTo("01XXXX89");
        assertThat(TestValues.text("partial(2, 'XXXX', 2)", "12345")).isEqualTo("12X45");
        assertThat(TestValues.text("partial(2, 'XXXX', 2)", "1234")).isEqualTo("****");
        assertThat(TestValues.text("partial(1, '*', 0)", "ümlaut")).isEqualTo("ü*");
        assertThat(TestValues.text("partial_email()", "jane.doe@acme.com")).isEqualTo("ja******@ac**.com");
        assertThat(TestValues.text("partial_email()", "no address")).isEqualTo("**********");
    }

    @Test
    void card_numbers_stay_valid_and_distinct() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 2000; i++) {
            String number = "4111-1111-1" + (10000 + i);
            String valid = number + CheckedNumber.CreditCard.luhnDigit(number);
            String masked = TestValues.text(
                    random,
                    TestValues.bind("dummy_credit_card_number()", ScalarType.TEXT)
                            .mask(),
                    valid);
            assertThat(masked).hasSameSizeAs(valid).matches("\\d{4}-\\d{4}-\\d{7}");
            int last = masked.length() - 1;
            assertThat(masked.charAt(last) - '0')
                    .isEqualTo(CheckedNumber.CreditCard.luhnDigit(masked.substring(0, last)));
            seen.add(masked);
        }
        assertThat(seen).hasSize(2000);
        assertThat(CheckedNumber.CreditCard.luhnDigit("7992739871")).isEqualTo(3);
    }

    @Test
    void ibans_stay_valid_and_distinct() {
        String german = "DE89 3704 0044 0532 0130 00";
        String masked = TestValues.text("dummy_iban()", german);
        assertThat(masked)
                .matches("DE\\d\\d \\d{4} \\d{4} \\d{4} \\d{4} \\d\\d")
                .isNotEqualTo(german);
        assertThat(Integer.parseInt(masked.substring(2, 4)))
                .isEqualTo(CheckedNumber.Iban.check("DE", masked.substring(4)));
        assertThat(CheckedNumber.Iban.check("GB", "WEST12345698765432")).isEqualTo(82);
        Set<String> seen = new HashSet<>();
        for (int check = 0; check < 100; check++) {
            seen.add(TestValues.text("dummy_iban()", "DE%02d37040044053201300%d".formatted(check, check % 2)));
        }
        assertThat(seen).hasSize(100);
    }

    @Test
    void inventions_come_from_the_lists_and_follow_the_case() {
        List<String> names = Dictionary.FIRST_NAMES.entries();
        assertThat(names).contains(TestValues.text("dummy_first_name()", "Alexandra"));
        String upper = TestValues.text("dummy_first_name()", "ALEXANDRA");
        assertThat(upper).isEqualTo(upper.toUpperCase(java.util.Locale.ROOT)).isNotEqualTo("ALEXANDRA");
        assertThat(TestValues.text("dummy_first_name()", "alexandra")).isEqualToIgnoringCase(upper);
        assertThat(TestValues.text("dummy_email()", "somebody.long@company.org"))
                .matches("[a-z.'0-9]+@example\\.(com|net|org)|[a-z.'0-9]+@a\\.test");
        assertThat(TestValues.text("dummy_uuid()", "9f2d5c1e-0000-4000-8000-123456789abc"))
                .matches("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
        assertThat(TestValues.text("dummy_ipv4()", "192.168.100.200")).matches("10\\.\\d+\\.\\d+\\.\\d+");
        assertThat(TestValues.text("dummy_phone_number()", "+49 30 1234567")).matches("\\+49 \\d{2} \\d{7}");
    }

    @Test
    void a_bpchar_keeps_its_padding_and_equals_its_text() {
        ValueMask padded = TestValues.bind("pseudonym()", ScalarType.BPCHAR).mask();
        assertThat(TestValues.text(random, padded, "canary    "))
                .hasSize(10)
                .isEqualTo(TestValues.text("pseudonym()", "canary") + "    ");
        ValueMask blank = TestValues.bind("blank()", ScalarType.BPCHAR).mask();
        assertThat(TestValues.text(random, blank, "ümlaut  ")).isEqualTo(" ".repeat(8));
        ValueMask name = TestValues.bind("pseudonym()", ScalarType.NAME).mask();
        byte[] value = Arrays.copyOf("canary".getBytes(StandardCharsets.US_ASCII), 64);
        assertThat(new String(name.mask(random, value), StandardCharsets.US_ASCII)
                        .strip()
                        .replace("\0", ""))
                .isEqualTo(TestValues.text("pseudonym()", "canary"));
    }

    @Test
    void results_are_the_same_for_ever() throws Exception {
        List<String> values = List.of(
                "Jane Doe",
                "jane.doe@example.com",
                "+49 30 1234567",
                "4111 1111 1111 1111",
                "DE89370400440532013000",
                "Żółć Straße 12, 漢字",
                "x",
                "a rather long text that says a lot about somebody and goes on and on, ".repeat(3));
        List<String> actual = new ArrayList<>();
        for (String call : CALLS) {
            for (String value : values) {
                actual.add(call + " of " + value + " is " + TestValues.text(call, value));
            }
        }
        Golden.compare("text-functions", actual);
    }
}
