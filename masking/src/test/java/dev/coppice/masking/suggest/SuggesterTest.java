package dev.coppice.masking.suggest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.function.KnownFormats;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.ScalarType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SuggesterTest {
    private static final double WORTH_SHOWING = 0.5;

    /** The beginnings of the tables of the Chinook sample database (licence beside it). */
    private static List<SampledColumn> chinook() throws IOException {
        List<String> lines;
        try (InputStream in = Objects.requireNonNull(SuggesterTest.class.getResourceAsStream("chinook.txt"))) {
            lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
        List<SampledColumn> columns = new ArrayList<>();
        for (int i = 0; i < lines.size(); ) {
            String header = lines.get(i++);
            String table = header.substring(2, header.indexOf('('));
            String[] definitions = header.substring(header.indexOf('(') + 1, header.length() - 1)
                    .split(", ");
            List<String[]> rows = new ArrayList<>();
            while (i < lines.size() && !lines.get(i).startsWith("# ")) {
                rows.add(lines.get(i++).split("\t", -1));
            }
            for (int c = 0; c < definitions.length; c++) {
                int at = c;
                String[] definition = definitions[c].split(" ", 2);
                columns.add(column(
                        table,
                        definition[0],
                        type(definition[1]),
                        rows.stream()
                                .map(row -> row[at])
                                .filter(v -> !v.isEmpty())
                                .toList()));
            }
        }
        return columns;
    }

    private static ScalarType type(String sql) {
        return switch (sql.replaceAll("\\(.*", "")) {
            case "int" -> ScalarType.INT4;
            case "varchar" -> ScalarType.VARCHAR;
            case "timestamp" -> ScalarType.TIMESTAMP;
            case "numeric" -> ScalarType.NUMERIC;
            default -> throw new IllegalArgumentException(sql);
        };
    }

    private static SampledColumn column(String table, String name, ScalarType type, List<String> values) {
        return new SampledColumn("public", table, name, null, DataType.of(type), -1, false, values);
    }

    @Test
    void the_personal_columns_of_chinook_are_found_and_no_others() throws IOException {
        Set<String> found = new TreeSet<>();
        for (SampledColumn column : chinook()) {
            Suggester.suggest(column)
                    .filter(suggestion -> suggestion.confidence() >= WORTH_SHOWING)
                    .ifPresent(suggestion -> {
                        found.add(column.table() + "." + column.column() + " " + suggestion.category());
                        assertThat(suggestion.function()).isNotNull();
                    });
        }
        assertThat(found)
                .containsExactlyInAnyOrder(
                        "customer.first_name FIRST_NAME",
                        "customer.last_name LAST_NAME",
                        "customer.address STREET_ADDRESS",
                        "customer.city CITY",
                        "customer.postal_code POSTAL_CODE",
                        "customer.phone PHONE",
                        "customer.fax PHONE",
                        "customer.email EMAIL",
                        "employee.first_name FIRST_NAME",
                        "employee.last_name LAST_NAME",
                        "employee.birth_date BIRTH_DATE",
                        "employee.address STREET_ADDRESS",
                        "employee.city CITY",
                        "employee.postal_code POSTAL_CODE",
                        "employee.phone PHONE",
                        "employee.fax PHONE",
                        "employee.email EMAIL",
                        "invoice.billing_address STREET_ADDRESS",
                        "invoice.billing_city CITY",
                        "invoice.billing_postal_code POSTAL_CODE");
    }

    private static List<String> values(int count, java.util.function.IntFunction<String> value) {
        return IntStream.range(0, count).mapToObj(value).toList();
    }

    private static String card(int n) {
        String digits = "4111111111" + (10000 + n * 7);
        return IntStream.range(0, 10)
                .mapToObj(last -> digits + last)
                .filter(KnownFormats::hasLuhnDigit)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_schema_of_many_kinds_is_told_apart() {
        Map<SampledColumn, String> expected = new java.util.LinkedHashMap<>();
        // Found by their values, whatever they are called.
        expected.put(
                column("accounts", "c1", ScalarType.TEXT, values(20, n -> "user" + n + "@example.org")),
                "EMAIL certain dummy_email()");
        expected.put(
                column("accounts", "c2", ScalarType.TEXT, values(20, SuggesterTest::card)),
                "CREDIT_CARD certain dummy_credit_card_number()");
        expected.put(
                column(
                        "accounts",
                        "c3",
                        ScalarType.TEXT,
                        List.of(
                                "DE89370400440532013000",
                                "GB82 WEST 1234 5698 7654 32",
                                "FR1420041010050500013M02606",
                                "NL91ABNA0417164300",
                                "AT611904300234573201")),
                "IBAN certain dummy_iban()");
        expected.put(
                column("accounts", "c4", ScalarType.TEXT, values(9, n -> "10.1." + n + ".200")),
                "IP_ADDRESS certain dummy_ipv4()");
        expected.put(
                column("accounts", "c5", ScalarType.TEXT, values(9, n -> "219-09-99" + (10 + n))),
                "SOCIAL_SECURITY certain pseudonym()");
        expected.put(
                column("accounts", "c6", ScalarType.TEXT, values(9, n -> "$2b$12$" + "a".repeat(53))),
                "SECRET certain random_string()");
        expected.put(column("accounts", "c7", ScalarType.INET, List.of()), "IP_ADDRESS likely dummy_ipv4()");
        expected.put(
                column(
                        "accounts",
                        "c8",
                        ScalarType.TEXT,
                        List.of("James Miller", "Mary Ann Lee", "John Smith", "Anna Kim", "Paul Fox")),
                "NAME likely dummy_name()");
        // By name alone.
        expected.put(column("users", "EMailAddress", ScalarType.CITEXT, List.of()), "EMAIL likely dummy_email()");
        expected.put(column("users", "passwordHash", ScalarType.TEXT, List.of()), "SECRET likely random_string()");
        expected.put(
                column("users", "date_of_birth", ScalarType.DATE, List.of()), "BIRTH_DATE certain noise('180 days')");
        expected.put(column("users", "name", ScalarType.TEXT, List.of()), "NAME likely dummy_name()");
        expected.put(column("users", "gender", ScalarType.TEXT, List.of()), "SENSITIVE likely blank()");
        expected.put(column("users", "last_login_ip", ScalarType.VARCHAR, List.of()), "IP_ADDRESS likely dummy_ipv4()");
        expected.put(column("users", "salary", ScalarType.NUMERIC, List.of()), "INCOME likely noise(0.2)");
        expected.put(column("users", "mobile", ScalarType.INT8, List.of()), "PHONE likely pseudonym()");
        expected.put(
                column("orders", "note", ScalarType.TEXT, values(9, n -> "please ring, number is +49 30 12345" + n)),
                "FREE_TEXT certain dummy_words()");
        // Not personal, though some of them are called so.
        for (SampledColumn harmless : List.of(
                column("products", "name", ScalarType.TEXT, values(9, n -> "Chair " + n)),
                column("products", "description", ScalarType.TEXT, values(9, n -> "A chair with " + n + " legs")),
                column("products", "sku", ScalarType.TEXT, values(9, n -> "4006381333931")),
                column("users", "email_verified", ScalarType.BOOL, List.of("true")),
                column("users", "email_verified_at", ScalarType.TIMESTAMPTZ, List.of()),
                column("users", "phone_count", ScalarType.INT4, List.of("3")),
                column("users", "address_id", ScalarType.INT8, List.of()),
                column("users", "created_at", ScalarType.TIMESTAMPTZ, List.of()),
                column("users", "locale", ScalarType.TEXT, values(9, n -> "de_DE")),
                column("plans", "max_tokens", ScalarType.INT4, List.of()),
                column("files", "checksum", ScalarType.TEXT, values(9, n -> "9e107d9d372bb6826bd81d3542a419d" + n)),
                column("files", "version", ScalarType.TEXT, values(9, n -> "1.2." + n)),
                column("events", "day", ScalarType.TEXT, values(9, n -> "2026-01-0" + n)),
                column("mails", "email", ScalarType.TEXT, values(9, n -> "welcome template " + n)))) {
            expected.put(harmless, "");
        }
        Map<String, String> actual = new TreeMap<>();
        Map<String, String> wanted = new TreeMap<>();
        expected.forEach((column, guess) -> {
            String key = column.table() + "." + column.column();
            wanted.put(key, guess);
            actual.put(
                    key,
                    Suggester.suggest(column)
                            .filter(suggestion -> suggestion.confidence() >= WORTH_SHOWING)
                            .map(s -> s.category() + " " + s.certainty() + " " + s.function())
                            .orElse(""));
        });
        assertThat(actual).isEqualTo(wanted);
    }

    @Test
    void a_unique_column_and_a_document_get_functions_that_fit_them() {
        List<String> addresses = values(9, n -> "user" + n + "@example.org");
        Suggestion unique = Suggester.suggest(new SampledColumn(
                        "public", "users", "email", null, DataType.of(ScalarType.TEXT), -1, true, addresses))
                .orElseThrow();
        assertThat(unique.function()).isEqualTo("pseudonym_email()");
        Suggestion path = Suggester.suggest(new SampledColumn(
                        "public",
                        "users",
                        "profile",
                        "$.contact.\"mail address\"",
                        DataType.of(ScalarType.JSONB),
                        -1,
                        false,
                        addresses))
                .orElseThrow();
        assertThat(path.category()).isEqualTo(Category.EMAIL);
        assertThat(path.function()).isEqualTo("dummy_email()");
        Suggestion born = Suggester.suggest(new SampledColumn(
                        "public",
                        "users",
                        "profile",
                        "$.birthday",
                        DataType.of(ScalarType.JSONB),
                        -1,
                        false,
                        List.of()))
                .orElseThrow();
        assertThat(born.function()).isEqualTo("blank()");
        Suggestion list = Suggester.suggest(new SampledColumn(
                        "public", "users", "phones", null, DataType.arrayOf(ScalarType.TEXT), -1, false, List.of()))
                .orElseThrow();
        assertThat(list.category()).isEqualTo(Category.PHONE);
        Optional<Suggestion> noWay = Suggester.suggest(
                new SampledColumn("public", "users", "dob", null, DataType.of(ScalarType.DATE), -1, true, List.of()));
        assertThat(noWay.orElseThrow().function()).isNull();
    }

    @Test
    void a_reason_says_what_it_stands_on_and_never_shows_a_value() {
        List<String> addresses = values(9, n -> "user" + n + "@example.org");
        String reason = Suggester.suggest(column("t", "email", ScalarType.TEXT, addresses))
                .orElseThrow()
                .reason();
        assertThat(reason).contains("9 of 9", "called so");
        assertThat(Arrays.stream(reason.split(" ")).collect(Collectors.toSet())).noneMatch(addresses::contains);
    }
}
