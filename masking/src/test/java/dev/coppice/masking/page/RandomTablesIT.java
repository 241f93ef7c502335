package dev.coppice.masking.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.MaskedFiles;
import dev.coppice.masking.ScratchPostgres;
import dev.coppice.masking.Seed;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tables of random columns in random order, filled and changed at random: no original is left, and the server finds nothing wrong. */
class RandomTablesIT {
    private static final int TABLES = 5;

    /** A type, functions for it, and expressions for values with a canary; r is a random number, n the row's. */
    private record Kind(String type, List<String> functions, List<String> values) {}

    private static final List<Kind> KINDS = List.of(
            new Kind(
                    "text",
                    List.of(
                            "pseudonym()",
                            "dummy_name()",
                            "hash()",
                            "null()",
                            "blank()",
                            "dummy_words()",
                            "value('redacted')"),
                    List.of(
                            "'canary'",
                            "'canary' || repeat('canary ', r % 40)",
                            "repeat('canary', 300 + r % 900)",
                            "'canary' || md5(r::text)",
                            "''")),
            new Kind(
                    "varchar(90)",
                    List.of("pseudonym_email()", "partial_email()", "dummy_email()"),
                    List.of("'canary' || r || '@canary.com'")),
            new Kind("char(11)", List.of("pseudonym()", "blank()"), List.of("'canary'", "'canary' || r % 1000")),
            new Kind("int2", List.of("pseudonym()", "null()", "noise(0.5)"), List.of("r % 30000")),
            new Kind("int8", List.of("pseudonym()", "null()", "generalize(100)"), List.of("r::int8 * n")),
            new Kind("bool", List.of("null()", "random_bool()"), List.of("r % 2 = 0")),
            new Kind(
                    "numeric",
                    List.of("pseudonym()", "noise(0.3)", "null()"),
                    List.of("r / 7.0", "r::numeric ^ 9", "0", "'NaN'::numeric")),
            new Kind(
                    "bytea",
                    List.of("pseudonym()", "blank()", "null()"),
                    List.of("convert_to(repeat('canary', r % 90), 'UTF8')")),
            new Kind("uuid", List.of("pseudonym()", "null()"), List.of("md5(r::text)::uuid")),
            new Kind("inet", List.of("pseudonym()", "dummy_ip()"), List.of("('10.1.' || r % 256 || '.1')::inet")),
            new Kind(
                    "timestamptz",
                    List.of("noise('9 days')", "null()"),
                    List.of("now() - r * interval '1 second'", "'infinity'::timestamptz")),
            new Kind("date", List.of("generalize('year')", "blank()"), List.of("date '1999-01-01' + r % 9999")),
            new Kind(
                    "jsonb",
                    List.of("pseudonym()", "blank()", "dummy_city()"),
                    List.of(
                            "jsonb_build_object('name', 'canary' || r, 'n', r, 'sub', jsonb_build_array('canary', r, null, true))",
                            "to_jsonb(array_fill('canary'::text, array[r % 300]))",
                            "'\"canary\"'::jsonb")),
            new Kind(
                    "json",
                    List.of("pseudonym()", "blank()"),
                    List.of("json_build_object('name', repeat('canary', r % 50), 'n', r)")),
            new Kind(
                    "text[]",
                    List.of("pseudonym()", "null()", "dummy_city()"),
                    List.of("array_fill('canary' || r, array[r % 20])", "array['canary', null]")),
            new Kind("numeric[]", List.of("pseudonym()", "null()"), List.of("array[r, null, r / 3.0]")),
            new Kind(
                    "int8range",
                    List.of("noise(50)", "blank()"),
                    List.of("int8range(r, r + 10)", "int8range(null, r)", "'empty'::int8range")),
            new Kind("float8", List.of("noise(0.2)", "pseudonym()"), List.of("r / 3.0")));

    @Test
    void nothing_of_random_tables_is_left() throws Exception {
        long seed = Seed.next();
        Random random = Seed.random(seed);
        try (ScratchPostgres server = ScratchPostgres.create(
                        ScratchPostgres.installations().getFirst())
                .start()) {
            server.execute("create extension amcheck");
            List<String> tables = new ArrayList<>();
            Map<String, String> rules = new LinkedHashMap<>();
            for (int i = 0; i < TABLES; i++) {
                String table = "t" + i;
                tables.add(table);
                create(server, table, random, rules);
            }
            MaskedFiles.apply(server, tables, rules, true);
            for (String table : tables) {
                HeapPageMaskerIT.assertValid(server, table);
                assertThat(server.query("select count(*) from " + table + " t where t::text ~* 'canary'"))
                        .as("%s with %s, %s", table, rules, Seed.message(seed))
                        .isEqualTo("0");
                server.execute("update " + table + " set id = id + 1000000", "vacuum full " + table);
                HeapPageMaskerIT.assertValid(server, table);
            }
        } catch (AssertionError | RuntimeException | SQLException e) {
            throw new AssertionError(Seed.message(seed), e);
        }
    }

    private static void create(ScratchPostgres server, String table, Random random, Map<String, String> rules)
            throws SQLException {
        List<Kind> kinds = new ArrayList<>();
        for (int i = 1 + random.nextInt(24); i > 0; i--) {
            kinds.add(KINDS.get(random.nextInt(KINDS.size())));
        }
        StringBuilder columns = new StringBuilder("id int8");
        for (int i = 0; i < kinds.size(); i++) {
            columns.append(", c").append(i).append(' ').append(kinds.get(i).type());
        }
        server.execute("create table " + table + " (" + columns + ")");
        List<Integer> present = new ArrayList<>();
        for (int i = 0; i < kinds.size(); i++) {
            present.add(i);
        }
        int nulls = random.nextInt(4);
        for (int batch = 0; batch < 4; batch++) {
            StringBuilder names = new StringBuilder("id");
            StringBuilder values = new StringBuilder("n");
            for (int column : present) {
                List<String> expressions = kinds.get(column).values();
                String value = expressions.get(random.nextInt(expressions.size()));
                names.append(", c").append(column);
                values.append(", case when (n + ")
                        .append(column)
                        .append(") % 10 >= ")
                        .append(nulls);
                values.append(" then ").append(value).append(" end");
            }
            int first = batch * 200;
            server.execute("insert into " + table + " (" + names + ") select " + values
                    + " from (select n, (random() * 1000000)::int as r" + " from generate_series(" + first + ", "
                    + (first + 199) + ") n offset 0) s");
            server.execute(
                    "delete from " + table + " where id % 7 = " + random.nextInt(7) + " and id % 2 = 0",
                    "update " + table + " set id = id where id % 5 = " + random.nextInt(5));
            if (random.nextBoolean() && present.size() > 1) {
                int dropped = present.get(random.nextInt(present.size()));
                present.remove(Integer.valueOf(dropped));
                server.execute("alter table " + table + " drop column c" + dropped);
            }
            if (random.nextBoolean()) {
                server.execute("vacuum " + table);
            }
        }
        Collections.shuffle(present, random);
        for (int column : present) {
            List<String> functions = kinds.get(column).functions();
            rules.put(table + ".c" + column, functions.get(random.nextInt(functions.size())));
        }
    }
}
