package dev.coppice.masking.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.masking.MaskedFiles;
import dev.coppice.masking.ScratchPostgres;
import dev.coppice.masking.rule.MaskPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Heap files of a real Postgres, rewritten while it is stopped, and what it then says of them. */
class HeapPageMaskerIT {
    /** A column of each type: its name, its type, the function that masks it, and an expression with a canary in n. */
    private record Subject(String column, String type, String function, String value) {}

    private static final List<Subject> SUBJECTS = List.of(
            new Subject("email", "text", "pseudonym_email()", "'canary' || n || '@example' || n % 7 || '.com'"),
            new Subject("first", "varchar(20)", "dummy_first_name()", "'Canary' || n"),
            new Subject("padded", "char(24)", "pseudonym()", "'canary ' || n"),
            new Subject("nam", "name", "pseudonym()", "'canary_' || n"),
            new Subject("latin", "text", "pseudonym()", "'Çanáry Ünïçødé Łódź ' || n || ' 漢字 кириллица'"),
            new Subject("phone", "text", "dummy_phone_number()", "'+49 30 ' || 5550000 + n"),
            new Subject("card", "text", "dummy_credit_card_number()", "'4000-1234-5678-' || lpad(n::text, 4, '0')"),
            new Subject("part", "text", "partial(1,'***',1)", "'canary secret ' || n"),
            new Subject("hashed", "text", "hash()", "'canary to be hashed ' || n"),
            new Subject("i2", "int2", "noise(0.5)", "12000 + n"),
            new Subject("i4", "int4", "pseudonym()", "1234500 + n"),
            new Subject("i8", "int8", "pseudonym()", "1234567890000 + n"),
            new Subject("mon", "money", "random_between(1, 999)", "(7777.77 + n)::numeric::money"),
            new Subject("num", "numeric", "pseudonym()", "123456789.987 + n"),
            new Subject("num2", "numeric(12,2)", "noise(0.3)", "55555.55 + n"),
            new Subject("f4", "float4", "noise(0.3)", "3.25 + n"),
            new Subject("f8", "float8", "pseudonym()", "1.2345678 + n"),
            new Subject("b", "bool", "random_bool()", "n % 2 = 0"),
            new Subject("ba", "bytea", "pseudonym()", "convert_to('canary bytes ' || n, 'UTF8')"),
            new Subject("u", "uuid", "pseudonym()", "md5(n::text)::uuid"),
            new Subject("ip", "inet", "pseudonym()", "('192.168.' || n % 256 || '.17/24')::inet"),
            new Subject("ip6", "inet", "dummy_ip()", "('2001:db8::' || to_hex(n))::inet"),
            new Subject("net", "cidr", "pseudonym()", "('172.16.' || n % 256 || '.0/24')::cidr"),
            new Subject(
                    "mac", "macaddr", "pseudonym()", "('08:00:2b:01:02:' || lpad(to_hex(n % 256), 2, '0'))::macaddr"),
            new Subject("mac8", "macaddr8", "dummy_mac_address()", "'08:00:2b:01:02:03:04:05'::macaddr8"),
            new Subject("d", "date", "noise('90 days')", "date '1977-07-07' + n"),
            new Subject("t", "time", "generalize('hour')", "time '07:07:07.777' + n * interval '1 second'"),
            new Subject("tz", "timetz", "blank()", "timetz '07:07:07.777+03'"),
            new Subject(
                    "ts", "timestamp", "generalize('month')", "timestamp '1977-07-07 07:07:07' + n * interval '1 day'"),
            new Subject(
                    "tstz",
                    "timestamptz",
                    "noise('10 days')",
                    "timestamptz '1977-07-07 07:07:07+00' + n * interval '1 day'"),
            new Subject("iv", "interval", "noise(0.2)", "n * interval '1 day 2 hours'"),
            new Subject("bits", "bit(13)", "pseudonym()", "(n % 8000)::bit(13)"),
            new Subject("vbits", "varbit", "pseudonym()", "(n % 8000)::bit(13)::varbit"),
            new Subject("mood", "mood", "random_in_enum()", "'sad'::mood"),
            new Subject("dom", "word", "pseudonym()", "'canary' || n"),
            new Subject(
                    "js",
                    "json",
                    "pseudonym()",
                    "json_build_object('name', 'canary ' || n, 'n', n + 1000000, 'list', json_build_array('canary', true, null))"),
            new Subject(
                    "jb",
                    "jsonb",
                    "pseudonym()",
                    "jsonb_build_object('name', 'canary ' || n, 'n', n + 1000000, 'deep', jsonb_build_object('list', jsonb_build_array('canary', 1.50, false, null)))"),
            new Subject("texts", "text[]", "pseudonym()", "array['canary', null, 'canary ' || n]"),
            new Subject("ints", "int4[]", "pseudonym()", "array[[n + 100000, 777777], [3, 4]]"),
            new Subject(
                    "dates",
                    "daterange",
                    "noise('30 days')",
                    "daterange(date '1977-07-07' + n, date '1977-08-08' + n)"),
            new Subject("nums", "numrange", "blank()", "numrange(1234.5, 5678.9)"),
            new Subject("tsv", "tsvector", "blank()", "to_tsvector('simple', 'canary ' || n)"),
            new Subject("pt", "point", "blank()", "point(12.34, 56.78)"),
            new Subject("x", "xml", "blank()", "'<canary/>'::xml"),
            new Subject("gone", "text", "null()", "'canary null ' || n"),
            new Subject("kept", "text", "", "'shown ' || n"));

    static List<Path> installations() throws IOException {
        return ScratchPostgres.installations();
    }

    @ParameterizedTest
    @MethodSource("installations")
    void every_type_in_every_state_of_a_row_is_masked_and_the_server_finds_nothing_wrong(Path installation)
            throws Exception {
        try (ScratchPostgres server = ScratchPostgres.create(installation).start()) {
            server.execute("create extension amcheck", "create extension pageinspect");
            createSubjects(server);
            MaskedFiles.apply(server, List.of("subjects"), functions());
            assertValid(server, "subjects");

            List<String> columns = SUBJECTS.stream().map(Subject::column).toList();
            assertThat(server.query("select count(*) from subjects")).isEqualTo("380");
            for (List<String> row : server.rows("select id, kept from subjects")) {
                assertThat(row.get(1)).isEqualTo("shown " + row.get(0));
            }
            for (String column : columns) {
                if (!column.equals("kept")) {
                    assertThat(server.query(
                                    "select count(*) from subjects where " + column + "::text ilike '%canary%'"))
                            .as(column)
                            .isEqualTo("0");
                }
            }
            // NULL stays NULL: every tenth row has nothing but NULLs.
            assertThat(server.query("select count(*) from subjects where id % 10 = 0 and email is null and jb is null"))
                    .isEqualTo(server.query("select count(*) from subjects where id % 10 = 0"));
            assertThat(server.query("select count(*) from subjects where gone is not null"))
                    .isEqualTo("0");
            assertThat(server.query("select count(distinct email) || '/' || count(email) from subjects"))
                    .isEqualTo(server.query("select count(email) || '/' || count(email) from subjects"));
            assertThat(server.query(
                            "select count(*) from subjects where email !~ '^[a-z]{6}[0-9]+@[a-z]{7}[0-9]\\.com$'"))
                    .isEqualTo("0");
            assertThat(
                            server.query(
                                    "select count(distinct i4) = count(i4) and min(i4) >= 1000000 and max(i4) < 10000000 from subjects"))
                    .isEqualTo("t");
            assertThat(server.query(
                            "select count(distinct num) = count(num) and bool_and(num < 1000000000) from subjects"))
                    .isEqualTo("t");
            assertThat(server.query("select bool_and(ts = date_trunc('month', ts)) from subjects"))
                    .isEqualTo("t");
            assertThat(server.query("select bool_and(jb ? 'name' and jb->'deep'->'list'->3 = 'null') from subjects"))
                    .isEqualTo("t");
            assertThat(server.query("select bool_and(js->>'list' like '%null, null]') from subjects"))
                    .isEqualTo("t");
            // The server can write what it reads.
            server.execute("update subjects set kept = kept", "vacuum full subjects", "analyze subjects");
            assertValid(server, "subjects");
        }
    }

    private static void createSubjects(ScratchPostgres server) throws SQLException {
        server.execute("create type mood as enum ('sad', 'ok', 'happy')", "create domain word as text");
        StringBuilder columns = new StringBuilder("id int primary key, dropped_fixed int8, dropped_text text");
        StringBuilder names = new StringBuilder("id, dropped_fixed, dropped_text");
        StringBuilder values = new StringBuilder("n, 7777777, 'canary dropped ' || n");
        for (Subject subject : SUBJECTS) {
            columns.append(", ").append(subject.column()).append(' ').append(subject.type());
            names.append(", ").append(subject.column());
            values.append(", ").append(subject.value());
        }
        server.execute("create table subjects (" + columns + ") with (fillfactor = 60)");
        String insert =
                "insert into subjects (" + names + ") select " + values + " from generate_series(FIRST, LAST) n";
        server.execute(
                numbered(insert, 1, 300),
                // Before the columns are dropped and others are added: short tuples, old values.
                "alter table subjects drop column dropped_text",
                "alter table subjects drop column dropped_fixed",
                "alter table subjects add column added text default 'default'",
                "alter table subjects add column added2 int");
        String insertLater = ("insert into subjects (" + names + ") select " + values
                        + " from generate_series(FIRST, LAST) n")
                .replace(", dropped_fixed, dropped_text", "")
                .replace(", 7777777, 'canary dropped ' || n", "");
        server.execute(
                numbered(insertLater, 301, 400),
                // All NULL but the key, in the same page.
                "update subjects set ("
                        + String.join(
                                ", ", SUBJECTS.stream().map(Subject::column).toList()) + ") = ("
                        + String.join(
                                ", ",
                                SUBJECTS.stream()
                                        .map(s -> s.column().equals("kept") ? "kept" : "null")
                                        .toList())
                        + ") where id % 10 = 0",
                // HOT chains, dead tuples, redirects; then rows that are only deleted.
                "update subjects set i4 = i4 where id % 3 = 0",
                "update subjects set i4 = i4 where id % 6 = 0",
                "vacuum subjects",
                "update subjects set i4 = i4 where id % 5 = 1",
                "delete from subjects where id between 201 and 220");
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            // Aborted: rows of columns that never were.
            connection.setAutoCommit(false);
            statement.execute("alter table subjects add column never int8");
            statement.execute(numbered(insertLater, 1001, 1010));
            statement.execute("update subjects set never = 1, kept = 'canary aborted' where id < 5");
            connection.rollback();
        }
        // Sets the hint bits of what was aborted.
        server.execute("select count(*) from subjects");
    }

    private static String numbered(String insert, int first, int last) {
        return insert.replace("FIRST", Integer.toString(first)).replace("LAST", Integer.toString(last));
    }

    private static Map<String, String> functions() {
        Map<String, String> functions = new LinkedHashMap<>();
        SUBJECTS.stream()
                .filter(s -> !s.function().isEmpty())
                .forEach(s -> functions.put("subjects." + s.column(), s.function()));
        return functions;
    }

    static void assertValid(ScratchPostgres server, String table) throws SQLException {
        assertThat(server.column("select msg from verify_heapam('" + table + "', check_toast := true)"))
                .isEmpty();
        assertThat(server.query("select count(*) from " + table + " s where length(s::text) < 0"))
                .isEqualTo("0");
        for (String index :
                server.column("select indexrelid::regclass from pg_index join pg_class c on c.oid = indexrelid"
                        + " join pg_am on pg_am.oid = relam where amname = 'btree' and indrelid = '" + table
                        + "'::regclass")) {
            server.execute("select bt_index_check('" + index + "', true)");
        }
    }

    @ParameterizedTest
    @MethodSource("installations")
    void compressed_and_toasted_values_and_rows_without_room_for_null_are_masked(Path installation) throws Exception {
        try (ScratchPostgres server = ScratchPostgres.create(installation).start()) {
            server.execute("create extension amcheck");
            StringBuilder wide = new StringBuilder("create table wide (id int primary key, s text, n int2, b bool");
            for (int i = 0; i < 30; i++) {
                wide.append(", c").append(i).append(" int2 not null default 7");
            }
            String noise = "(select string_agg(md5(i::text || n), '') from generate_series(1, %d) i)";
            server.execute(
                    wide.append(")").toString(),
                    "insert into wide select n, 'canary ' || repeat('x', n % 9), 7, true from generate_series(1, 500) n",
                    "create table big (id int primary key, a text, b text, c bytea, j jsonb, js json, arr text[], v varbit)",
                    // Compressed inline: repetitive, and too long for a row.
                    "insert into big select n, repeat('canary ' || n || md5(n::text) || md5('x' || n), 60), repeat('shown', 900), convert_to(repeat('canary', 600), 'UTF8'),"
                            + " jsonb_build_object('k', repeat('canary', 600)), json_build_object('k', repeat('canary', 600)),"
                            + " array_fill('canary'::text, array[500]), repeat('10', 9000)::varbit from generate_series(1, 20) n",
                    "alter table big alter a set storage external",
                    // Out of line: incompressible, or told to.
                    "insert into big select n, repeat('canary ', 900), " + noise.formatted(200) + " || 'canary',"
                            + " convert_to(" + noise.formatted(200) + " || 'canary', 'UTF8'),"
                            + " jsonb_build_object('k', " + noise.formatted(200) + "), json_build_object('k', "
                            + noise.formatted(200) + "), array[" + noise.formatted(200)
                            + "], null from generate_series(21, 40) n",
                    "alter table big alter a set storage main",
                    "insert into big select n, 'canary ' || " + noise.formatted(100)
                            + " from generate_series(41, 50) n");
            assertThat(server.query("select count(*) from big where pg_column_compression(b) = 'pglz'"))
                    .isEqualTo("20");
            MaskedFiles.apply(
                    server,
                    List.of("wide", "big"),
                    Map.of(
                            "wide.s", "null()",
                            "wide.n", "null()",
                            "wide.b", "null()",
                            "big.a", "pseudonym()",
                            "big.b", "lorem_ipsum()",
                            "big.c", "pseudonym()",
                            "big.j", "dummy_words()",
                            "big.js", "pseudonym()",
                            "big.arr", "dummy_city()",
                            "big.v", "pseudonym()"),
                    true);
            assertValid(server, "wide");
            assertValid(server, "big");
            assertThat(server.query("select count(*) from wide where s is null and n is null and b is null"))
                    .isNotEqualTo("0");
            // Where there is no room for a null bitmap, all that was to be NULL is blank.
            assertThat(server.query("select count(*) from wide where s is null or s = '' and n = 0 and not b"))
                    .isEqualTo("500");
            assertThat(server.query("select count(*) from big where big::text ~* 'canary'"))
                    .isEqualTo("0");
            assertThat(
                            server.query(
                                    "select bool_and(length(a) = 60 * length('canary ' || id || md5('') || md5(''))) from big where id <= 20"))
                    .isEqualTo("t");
            assertThat(server.query("select count(distinct a) from big")).isEqualTo("50");
            assertThat(server.query("select count(*) from big where id between 21 and 40 and length(a) = 17"))
                    .isEqualTo("20");
            assertThat(server.query("select bool_and(array_length(arr, 1) = 500) from big where id <= 20"))
                    .isEqualTo("t");
            server.execute("update big set id = id + 100", "vacuum full big");
            assertValid(server, "big");
        }
    }

    @ParameterizedTest
    @MethodSource("installations")
    void keys_are_masked_alike_and_joins_hold(Path installation) throws Exception {
        try (ScratchPostgres server = ScratchPostgres.create(installation).start()) {
            server.execute(
                    "create extension amcheck",
                    "create extension citext",
                    "create table people (id bigint primary key, email citext unique, code varchar(40) unique)",
                    "create table visits (id int primary key, person int references people (id),"
                            + " email citext references people (email), code varchar(60) references people (code))",
                    "insert into people select n * 31, 'Canary' || n || '@Some.Example.org', 'canary-' || md5(n::text) from generate_series(1, 5000) n",
                    "insert into visits select n, p.id, lower(p.email), p.code from generate_series(1, 20000) n"
                            + " join people p on p.id = (1 + n % 5000) * 31");
            String join =
                    "select count(*) from visits v join people p on p.id = v.person and p.email = v.email and p.code = v.code";
            assertThat(server.query(join)).isEqualTo("20000");
            MaskPlan plan = MaskedFiles.apply(
                    server,
                    List.of("people", "visits"),
                    Map.of(
                            "people.id",
                            "pseudonym()",
                            "people.email",
                            "pseudonym_email()",
                            "people.code",
                            "pseudonym()"));
            // What refers to a masked key is masked too, and indexes on all of them are to be rebuilt.
            assertThat(plan.tables()).hasSize(2);
            assertThat(plan.indexes()).hasSize(3);
            assertThat(server.query(join)).isEqualTo("20000");
            server.execute("set enable_hashjoin = off", "alter table visits add unique (id, person)");
            assertValid(server, "people");
            assertValid(server, "visits");
            assertThat(server.query("select count(*) from people where id % 31 <> 0"))
                    .isNotEqualTo("0");
            // pg_dump and restore would check the keys again.
            server.execute(
                    "alter table visits drop constraint visits_person_fkey",
                    "alter table visits add foreign key (person) references people (id)",
                    "alter table visits drop constraint visits_email_fkey",
                    "alter table visits add foreign key (email) references people (email)");
        }
    }
}
