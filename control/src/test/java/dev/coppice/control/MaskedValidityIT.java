package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.compute.PostgresBinaries;
import dev.coppice.control.catalog.PostgresVersions;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.SchemaText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tables in the style of Postgres's own regression tests, seen through an anonymized branch by the newest Postgres and the oldest: nothing that checks a database finds anything, and what no rule names is what it was.
 */
class MaskedValidityIT {
    private static final int FIRST_WITH_GIN_CHECK = 18;
    private static final String USER_TABLES =
            "FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relpersistence <> 't' ORDER BY oid";

    /** {@code table.column} to a function, and {@code @path} behind it. */
    private static final Map<String, String> RULES = rules();

    private static Map<String, String> rules() {
        Map<String, String> rules = new LinkedHashMap<>();
        for (int n = 5; n < 250; n += 5) {
            if (n != 10) {
                rules.put("wide.c" + n, n % 3 == 0 ? "pseudonym()" : n % 3 == 1 ? "null()" : "dummy_first_name()");
            }
        }
        rules.put("wide.later", "pseudonym()");
        rules.put("hot.name", "pseudonym()");
        rules.put("stored.pg", "pseudonym()");
        rules.put("stored.lz", "pseudonym()");
        rules.put("stored.outside", "hash()");
        rules.put("stored.main", "lorem_ipsum()");
        rules.put("stored.plain", "dummy_words()");
        rules.put("stored.bytes", "pseudonym()");
        rules.put("arrays.words", "pseudonym()");
        rules.put("arrays.grid", "noise(0.5)");
        rules.put("arrays.amounts", "pseudonym()");
        rules.put("documents.doc", "pseudonym()");
        rules.put("documents.paths", "pseudonym()@$..name");
        rules.put("documents.paths ", "dummy_city()@$.secret");
        rules.put("documents.raw", "blank()");
        rules.put("bookings.price", "blank()");
        rules.put("bookings.days", "noise('30 days')");
        rules.put("customers.id", "pseudonym()");
        rules.put("customers.email", "pseudonym_email()");
        rules.put("customers.contact", "pseudonym_email()");
        rules.put("customers.name", "pseudonym()");
        rules.put("customers.lower_name", "pseudonym()");
        rules.put("customers.code", "pseudonym()");
        rules.put("customers.feeling", "random_in_enum()");
        rules.put("customers.balance", "noise(0.3)");
        rules.put("customers.born", "noise('90 days')");
        rules.put("customers.ip", "dummy_ip()");
        rules.put("customers.token", "pseudonym()");
        rules.put("customers.words", "blank()");
        rules.put("orders.customer", "pseudonym()");
        rules.put("orders.email", "pseudonym_email()");
        rules.put("lines.customer", "pseudonym()");
        rules.put("lines.what", "dummy_word()");
        rules.put("parts.name", "pseudonym()");
        rules.put("parts.email", "partial_email()");
        rules.put("base.name", "pseudonym()");
        rules.put("fast.name", "pseudonym()");
        rules.put("empty.name", "pseudonym()");
        return rules;
    }

    /** Columns of partitions and children are masked by their parents' rules. */
    private static final Set<String> INHERITED =
            Set.of("parts_north_0", "parts_north_1", "parts_south", "parts_rest", "child");

    static List<PostgresBinaries> versions() throws IOException {
        return List.of(PostgresVersions.bundled(), PostgresVersions.oldest());
    }

    @ParameterizedTest
    @MethodSource("versions")
    void nothing_that_checks_a_database_finds_anything_in_a_masked_one(PostgresBinaries postgres) throws Exception {
        try (ControlFixture fixture = new ControlFixture(postgres)) {
            MaskedParent parent = new MaskedParent(fixture, "validity");
            Map<String, String> shown;
            try (Connection connection = parent.connect(parent.endpoint)) {
                for (String statement : statements(connection)) {
                    MaskedParent.execute(connection, statement);
                }
                shown = shown(connection);
            }
            // After a clean shutdown what is not logged is there too.
            fixture.control.wiring().ground.monitor().suspend(parent.endpoint);
            String masked = parent.anonymized("masked", ruleSet(parent))
                    .endpoint()
                    .orElseThrow()
                    .id();
            try (Connection connection = parent.connect(masked)) {
                assertThat(MaskedParent.column(connection, "SHOW server_version_num")
                                .getFirst())
                        .startsWith(Integer.toString(postgres.majorVersion()));
                assertSound(connection, postgres);
                assertThat(shown(connection)).isEqualTo(shown);
                assertThat(canaries(connection)).isEmpty();
                joinsHold(connection);
            }
            restored(parent, masked, postgres);
            try (Connection connection = parent.connect(masked)) {
                for (String table : MaskedParent.column(connection, "SELECT oid::regclass::text " + USER_TABLES)) {
                    MaskedParent.execute(connection, "VACUUM FULL " + table);
                }
                assertSound(connection, postgres);
                for (String table : MaskedParent.column(connection, "SELECT oid::regclass::text " + USER_TABLES)) {
                    update(connection, table);
                }
                MaskedParent.execute(connection, "REFRESH MATERIALIZED VIEW totals");
                MaskedParent.execute(connection, "VACUUM");
                MaskedParent.execute(connection, "ANALYZE");
                assertSound(connection, postgres);
                assertThat(shown(connection)).isEqualTo(shown);
                assertThat(canaries(connection)).isEmpty();
                assertThat(MaskedParent.column(
                                connection, "SELECT tablename FROM pg_stats s WHERE s::text ILIKE '%canary%'"))
                        .isEmpty();
            }
        }
    }

    private static List<String> statements(Connection connection) throws Exception {
        boolean lz4 = !MaskedParent.column(
                        connection,
                        "SELECT name FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)")
                .isEmpty();
        try (InputStream in = MaskedValidityIT.class.getResourceAsStream("regression-tables.sql")) {
            String script = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replaceAll("(?m)^--.*$", "")
                    .replace(":lz4", lz4 ? "lz4" : "pglz");
            return List.of(script.split(";\\s*\n")).stream()
                    .map(String::strip)
                    .filter(statement -> !statement.isEmpty())
                    .toList();
        }
    }

    private static RuleSet ruleSet(MaskedParent parent) {
        List<RuleSet.Rule> rules = new ArrayList<>();
        RULES.forEach((target, function) -> {
            String[] column = target.strip().split("\\.");
            String[] call = function.split("@");
            rules.add(new RuleSet.Rule(
                    parent.database,
                    "public",
                    column[0],
                    column[1],
                    call[0],
                    null,
                    call.length > 1 ? call[1] : null,
                    null));
        });
        return new RuleSet(RuleSet.Unlisted.KEEP, rules);
    }

    /** Of every table the sum of the columns that no rule names. */
    private static Map<String, String> shown(Connection connection) throws Exception {
        Map<String, String> sums = new LinkedHashMap<>();
        for (String table : MaskedParent.column(connection, "SELECT relname " + USER_TABLES)) {
            List<String> columns = MaskedParent.column(
                            connection,
                            "SELECT attname FROM pg_attribute WHERE attrelid = '" + table
                                    + "'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname")
                    .stream()
                    .filter(column -> !RULES.containsKey(table + "." + column))
                    .filter(column -> !INHERITED.contains(table)
                            || !Set.of("name", "email").contains(column))
                    .toList();
            sums.put(
                    table,
                    MaskedParent.column(
                                    connection,
                                    "SELECT count(*) || ' ' || coalesce(md5(string_agg(r, '|' ORDER BY r)), '')"
                                            + " FROM (SELECT ROW(" + String.join(", ", columns)
                                            + ")::text AS r FROM ONLY "
                                            + table + ") s")
                            .getFirst());
        }
        return sums;
    }

    private static Set<String> canaries(Connection connection) throws Exception {
        Set<String> tables = new TreeSet<>();
        for (String table : MaskedParent.column(connection, "SELECT relname " + USER_TABLES)) {
            if (!MaskedParent.column(
                            connection, "SELECT '1' FROM ONLY " + table + " t WHERE t::text ILIKE '%canary%' LIMIT 1")
                    .isEmpty()) {
                tables.add(table);
            }
        }
        return tables;
    }

    private static void joinsHold(Connection connection) throws Exception {
        assertThat(MaskedParent.column(
                        connection,
                        "SELECT count(*)::text FROM lines l JOIN orders o ON o.id = l.order_id AND o.customer = l.customer"
                                + " JOIN customers c ON c.id = o.customer AND c.email = o.email"))
                .containsExactly("6000");
        assertThat(MaskedParent.column(connection, "SELECT count(*)::text FROM totals"))
                .containsExactly("1500");
        assertThat(MaskedParent.column(
                        connection, "SELECT count(*)::text FROM customers WHERE lower_name <> lower(name)"))
                .containsExactly("0");
    }

    private static void assertSound(Connection connection, PostgresBinaries postgres) throws Exception {
        assertThat(MaskedParent.findings(connection)).isEmpty();
        assertThat(MaskedParent.column(
                        connection, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
                .isEmpty();
        for (String index : indexes(connection, "btree")) {
            MaskedParent.execute(
                    connection,
                    "SELECT bt_index_parent_check('" + index + "', heapallindexed => true, rootdescend => true)");
        }
        if (postgres.majorVersion() >= FIRST_WITH_GIN_CHECK) {
            List<String> gin = indexes(connection, "gin");
            assertThat(gin).hasSizeGreaterThan(4);
            for (String index : gin) {
                MaskedParent.execute(connection, "SELECT gin_index_check('" + index + "')");
            }
        }
    }

    private static List<String> indexes(Connection connection, String method) throws Exception {
        return MaskedParent.column(
                connection,
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE a.amname = '"
                        + method
                        + "' AND c.relkind = 'i' AND c.oid >= 16384 AND c.relnamespace = 'public'::regnamespace");
    }

    /** Writes every row again, as it is. */
    private static void update(Connection connection, String table) throws Exception {
        List<String> columns = MaskedParent.column(
                connection,
                "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '" + table
                        + "'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''");
        if (!columns.isEmpty()) {
            MaskedParent.execute(
                    connection,
                    "UPDATE ONLY " + table + " SET "
                            + columns.stream()
                                    .map(column -> column + " = " + column)
                                    .collect(Collectors.joining(", ")));
        }
    }

    /** A dump of the branch goes into an empty database, whose constraints accept it, and gives the same rows. */
    private static void restored(MaskedParent parent, String endpoint, PostgresBinaries postgres) throws Exception {
        parent.execute(endpoint, "CREATE DATABASE restored TEMPLATE template0");
        Path socket = parent.socket(endpoint);
        Optional<Path> dump = dumpProgram(postgres);
        if (dump.isPresent()) {
            dumpAndRestore(dump.get(), socket, parent.database);
        } else {
            copy(parent, endpoint);
        }
        try (Connection original = parent.connect(endpoint);
                Connection copy = parent.connect(endpoint, "restored")) {
            for (String table : MaskedParent.column(original, "SELECT relname " + USER_TABLES)) {
                String columns = MaskedParent.column(
                                original,
                                "SELECT coalesce(string_agg(quote_ident(attname), ', ' ORDER BY attname), '') FROM pg_attribute"
                                        + " WHERE attrelid = '" + table
                                        + "'::regclass AND attnum > 0 AND NOT attisdropped")
                        .getFirst();
                String sum = "SELECT count(*) || coalesce(md5(string_agg(r, '|' ORDER BY r)), '') FROM (SELECT ROW("
                        + columns + ")::text AS r FROM ONLY " + table + ") s";
                assertThat(MaskedParent.column(copy, sum)).as(table).isEqualTo(MaskedParent.column(original, sum));
            }
            assertThat(MaskedParent.findings(copy)).isEmpty();
        }
        parent.execute(endpoint, "DROP DATABASE restored");
    }

    /** One that is not older than the server. */
    private static Optional<Path> dumpProgram(PostgresBinaries postgres) throws IOException {
        return PostgresVersions.installed().stream()
                .filter(each -> each.majorVersion() >= postgres.majorVersion())
                .map(each -> each.bin().resolve("pg_dump"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static void dumpAndRestore(Path dump, Path socket, String database) throws Exception {
        Path file = Files.createTempFile("masked", ".dump");
        try {
            String to = Objects.requireNonNull(socket.getParent()).toString();
            run(dump.toString(), "-Fc", "-h", to, "-U", ComputeSql.ADMIN, "-f", file.toString(), database);
            run(
                    dump.resolveSibling("pg_restore").toString(),
                    "--exit-on-error",
                    "-h",
                    to,
                    "-U",
                    ComputeSql.ADMIN,
                    "-d",
                    "restored",
                    file.toString());
        } finally {
            Files.delete(file);
        }
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    /** What pg_dump would do, where there is none that is new enough: schema, rows, then the keys that refer to rows. */
    private static void copy(MaskedParent parent, String endpoint) throws Exception {
        try (Connection from = parent.connect(endpoint);
                Connection to = parent.connect(endpoint, "restored")) {
            List<String> last = new ArrayList<>();
            for (String statement : SchemaText.of(from).split(";\n\n")) {
                if (statement.contains("FOREIGN KEY")
                        || statement.contains("MATERIALIZED VIEW")
                        || statement.contains(" ON public.totals ")) {
                    last.add(statement);
                } else {
                    MaskedParent.execute(to, statement);
                }
            }
            MaskedParent.execute(from, "SET search_path = public");
            String file = MaskedParent.column(from, "SELECT current_setting('data_directory')")
                            .getFirst() + "/rows";
            for (String table : MaskedParent.column(from, "SELECT relname " + USER_TABLES)) {
                List<String> columns = MaskedParent.column(
                        from,
                        "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '" + table
                                + "'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''");
                String rows =
                        "COPY public." + table + (columns.isEmpty() ? "" : " (" + String.join(", ", columns) + ")");
                MaskedParent.execute(from, rows + " TO '" + file + "'");
                MaskedParent.execute(to, rows + " FROM '" + file + "'");
            }
            for (String statement : last) {
                MaskedParent.execute(to, statement);
            }
        }
    }
}
