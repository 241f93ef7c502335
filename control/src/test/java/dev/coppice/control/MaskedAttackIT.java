package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.coppice.control.branch.Made;
import dev.coppice.control.timeline.BranchPointRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a superuser of an anonymized branch, or whoever declares rules, would try to get at originals. */
class MaskedAttackIT {
    private static final String CANARY = "canary";
    private static final long LARGEST = 64 << 20;

    private static ControlFixture fixture;
    private static MaskedParent parent;
    private static Made masked;
    private static String endpoint;
    private static Instant beforeTheBranch;

    @BeforeAll
    static void seed() throws Exception {
        fixture = new ControlFixture(-1);
        parent = new MaskedParent(fixture, "attacked");
        assertThat(fixture.patch(
                                "/projects/" + parent.project,
                                "{\"project\":{\"settings\":{\"enable_logical_replication\":true}}}")
                        .status())
                .isEqualTo(200);
        parent.execute(
                parent.endpoint,
                "CREATE TABLE people (id int PRIMARY KEY, name text, email text UNIQUE, age text, note text)",
                "INSERT INTO people SELECT n, 'Canary ' || lpad(n::text, 4, '0'), 'canary' || n || '@example.com',"
                        + " (n % 90)::text, 'canary note ' || n FROM generate_series(1, 1000) n",
                "CREATE INDEX ON people (name)",
                "CREATE INDEX ON people (note)",
                "ANALYZE");
        beforeTheBranch = Instant.now();
        parent.execute(parent.endpoint, "INSERT INTO people (id, name) VALUES (1001, 'Canary later')");
        masked = parent.anonymized(
                "masked",
                parent.rules(
                        parent.rule("people", "name", "pseudonym()"),
                        parent.rule("people", "email", "pseudonym_email()"),
                        parent.rule("people", "age", "pseudonym()"),
                        parent.rule("people", "note", "dummy_words()")));
        endpoint = masked.endpoint().orElseThrow().id();
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT name FROM people WHERE email = 'canary7@example.com'",
                "SELECT name FROM people WHERE lower(name) LIKE 'canary%' OR note ~* 'canary'",
                "SELECT p.name FROM people p JOIN (SELECT 'canary' || n || '@example.com' AS guess FROM generate_series(1, 1000) n)"
                        + " g ON p.email = g.guess",
                "SELECT p.name FROM people p JOIN (SELECT 'Canary ' || lpad(n::text, 4, '0') AS guess FROM generate_series(1, 1000) n)"
                        + " g ON p.name >= g.guess AND p.name < g.guess || '~'",
                "SELECT max(name) FROM people HAVING max(name) LIKE 'Canary%'",
                "SELECT id::text FROM people WHERE age = (id % 90)::text AND length(age) = 2 AND id < 0"
            })
    void probes_find_nothing(String probe) throws Exception {
        try (Connection connection = parent.connect(endpoint)) {
            for (String plan : List.of("enable_seqscan", "enable_indexscan", "enable_bitmapscan")) {
                MaskedParent.execute(connection, "SET " + plan + " = off");
                assertThat(MaskedParent.column(connection, probe)).as(plan).isEmpty();
                MaskedParent.execute(connection, "RESET " + plan);
            }
        }
    }

    /** Originals are in the order of their ids: neither the masked values nor the indexes tell it. */
    @Test
    void the_order_of_masked_values_tells_nothing_of_the_order_of_originals() throws Exception {
        String neighbours = "SELECT count(*)::text FROM (SELECT id, lag(id) OVER (ORDER BY name) AS before FROM people"
                + " WHERE id <= 1000) o WHERE id = before + 1";
        assertThat(Integer.parseInt(parent.value(parent.endpoint, neighbours))).isEqualTo(999);
        assertThat(Integer.parseInt(parent.value(endpoint, neighbours))).isLessThan(50);
    }

    /** Estimates come from statistics: there are none until the branch makes its own, of masked values. */
    @Test
    void plans_and_statistics_know_no_original() throws Exception {
        Made fresh = parent.child("unanalyzed", masked.branch().id());
        String child = fresh.endpoint().orElseThrow().id();
        try (Connection connection = parent.connect(child)) {
            String plan =
                    "EXPLAIN (ANALYZE, COSTS, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT * FROM people WHERE name = '%s'";
            assertThat(MaskedParent.column(connection, plan.formatted("Canary 0007"))
                            .toString()
                            .replace("Canary 0007", "?"))
                    .isEqualTo(MaskedParent.column(connection, plan.formatted("Nobody 9999"))
                            .toString()
                            .replace("Nobody 9999", "?"));
            assertThat(MaskedParent.column(connection, "SELECT attname FROM pg_stats WHERE schemaname = 'public'"))
                    .isEmpty();
            MaskedParent.execute(connection, "ANALYZE");
            assertThat(MaskedParent.column(connection, "SELECT attname FROM pg_stats s WHERE s::text ILIKE '%canary%'"))
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO people (id, email) SELECT 9999, email FROM people WHERE id = 7",
                "INSERT INTO people (id, name, email) SELECT id, name, email || 'x' FROM people WHERE id = 7",
                "ALTER TABLE people ADD CHECK (name LIKE 'Canary%')",
                "ALTER TABLE people ALTER name TYPE int USING name::int",
                "CREATE INDEX ON people ((note::int))",
                "CREATE UNIQUE INDEX ON people (left(name, 1))",
                "SELECT 1 / (name LIKE 'Canary%')::int FROM people",
                "SELECT (name || note)::json FROM people",
                "ALTER TABLE people ADD CONSTRAINT refers FOREIGN KEY (name) REFERENCES people (email)",
                "DO $$ DECLARE r people; BEGIN SELECT * INTO r FROM people WHERE id = 7; RAISE EXCEPTION '%', r; END $$"
            })
    void errors_quote_masked_values(String failing) throws Exception {
        try (Connection connection = parent.connect(endpoint)) {
            assertThatThrownBy(() -> MaskedParent.execute(connection, failing)).satisfies(thrown -> {
                for (Throwable each = thrown; each != null; each = each.getCause()) {
                    String said = each.toString().replace(failing, "").toLowerCase(Locale.ROOT);
                    assertThat(said).doesNotContain(CANARY);
                }
            });
        }
    }

    @Test
    void copies_raw_pages_and_files_of_the_branch_hold_no_original() throws Exception {
        try (Connection connection = parent.connect(endpoint)) {
            String file = MaskedParent.column(connection, "SELECT current_setting('data_directory')")
                            .getFirst()
                    + "/copied";
            MaskedParent.execute(connection, "COPY people TO '" + file + "'");
            MaskedParent.execute(connection, "CREATE EXTENSION IF NOT EXISTS pageinspect");
            for (String relation : List.of("people", "people_pkey", "people_email_key", "people_name_idx")) {
                assertThat(MaskedParent.column(
                                connection,
                                "SELECT b::text FROM generate_series(0, pg_relation_size('" + relation
                                        + "') / 8192 - 1) b,"
                                        + " get_raw_page('" + relation
                                        + "', b::int) p WHERE position('anary'::bytea IN p) > 0"))
                        .as(relation)
                        .isEmpty();
            }
            assertThat(MaskedParent.column(
                            connection,
                            "SELECT '1' WHERE position('anary'::bytea IN pg_read_binary_file('" + file + "')) > 0"))
                    .isEmpty();
        }
    }

    /** A slot of its own sees the branch's own changes, and a base backup is its directory, WAL included. */
    @Test
    void replication_out_of_the_branch_gives_masked_rows_only() throws Exception {
        Made source = parent.child("replicated", masked.branch().id());
        String child = source.endpoint().orElseThrow().id();
        try (Connection connection = parent.connect(child)) {
            assertThat(MaskedParent.column(connection, "SHOW wal_level")).containsExactly("logical");
            MaskedParent.execute(connection, "ALTER TABLE people REPLICA IDENTITY FULL");
            MaskedParent.column(
                    connection, "SELECT slot_name::text FROM pg_create_logical_replication_slot('out', 'pgoutput')");
            MaskedParent.execute(connection, "CREATE PUBLICATION everything FOR ALL TABLES");
            MaskedParent.execute(connection, "UPDATE people SET id = id + 10000");
            assertThat(MaskedParent.column(
                            connection,
                            "SELECT count(*)::text FROM pg_logical_slot_peek_binary_changes('out', NULL, NULL,"
                                    + " 'proto_version', '1', 'publication_names', 'everything')"
                                    + " WHERE position('anary'::bytea IN data) > 0"))
                    .containsExactly("0");
            MaskedParent.execute(connection, "SELECT pg_drop_replication_slot('out')");
            MaskedParent.execute(connection, "CHECKPOINT");
        }
        for (String branch :
                List.of(masked.branch().timelineId(), source.branch().timelineId())) {
            assertThat(filesWithOriginals(fixture.data.resolve("timelines").resolve(branch)))
                    .isEmpty();
        }
    }

    private static List<Path> filesWithOriginals(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                // The map of what is present is larger than any file with rows here, and sparse.
                if (Files.size(file) > LARGEST) {
                    continue;
                }
                String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                if (text.contains("anary 0") || text.contains("anary note") || text.contains("canary1@")) {
                    found.add(file);
                }
            }
        }
        return found;
    }

    /** Programs of the branch's computes run as a user of their own, who can read nothing of anybody else's. */
    @Test
    void programs_that_the_branch_starts_read_nothing_of_the_server() throws Exception {
        assumeTrue(
                System.getProperty("user.name").equals("root"),
                "only root can give the computes of anonymized branches a user of their own");
        String own = masked.branch().timelineId();
        String data = fixture.data.toString();
        try (Connection connection = parent.connect(endpoint)) {
            MaskedParent.execute(connection, "CREATE TABLE IF NOT EXISTS said (line text)");
            // It does run, as another user than other branches' computes, and sees what is its own.
            assertThat(output(connection, "id -u"))
                    .containsExactly(String.valueOf(
                            Files.getAttribute(fixture.data.resolve("timelines/" + own + "/wal"), "unix:uid")));
            assertThat(output(connection, "env")).isNotEmpty();
            assertThat(output(connection, "cat /proc/self/environ")).isEmpty();
            // Directories cannot be listed, but names can be known: every file is tried.
            Path names = fixture.data.resolve("timelines/" + own + "/local/pgdata/names");
            try (Stream<Path> files = Files.walk(fixture.data)) {
                Files.write(names, files.map(Path::toString).toList());
            }
            List<String> readable = output(
                    connection, "while read f; do [ -f \"$f\" ] && [ -r \"$f\" ] && echo \"$f\"; done < " + names);
            Files.delete(names);
            assertThat(readable).anyMatch(file -> file.contains("/timelines/" + own + "/"));
            assertThat(readable)
                    .filteredOn(file -> !file.equals(names.toString())
                            && !file.contains("/timelines/" + own + "/")
                            && !file.contains("/run/" + endpoint + "/")
                            // The library that Postgres is started with.
                            && !file.contains("/native/"))
                    .isEmpty();
            // Environments, memory and open files of other processes.
            assertThat(output(
                            connection,
                            "for p in /proc/[0-9]*; do [ \"$(stat -c %u $p)\" = \"$(id -u)\" ] || (cat $p/environ $p/maps;"
                                    + " head -c 1 $p/mem; ls $p/fd/ && echo \"$p is open\"); done"))
                    .isEmpty();
            // Shared memory and sockets of others.
            assertThat(output(
                            connection,
                            "for f in $(find /dev/shm -type f ! -user $(id -u) -readable" + " -newer " + data
                                    + "/timelines/" + own + "/timeline.json); do echo $f; done"))
                    .isEmpty();
            assertThat(output(connection, "find " + data + "/run -type s ! -path '*/" + endpoint + "/*'"))
                    .isEmpty();
            assertThat(output(connection, "grep -a coppice /proc/net/unix | grep -a ' @'"))
                    .isEmpty();
            for (String call : List.of(
                    "SELECT pg_read_file('" + data + "/cli.json')",
                    "SELECT pg_read_binary_file('" + data + "/secret.key')",
                    "SELECT lo_import('" + data + "/secret.key')",
                    "SELECT pg_ls_dir('" + data + "/catalog')",
                    "COPY said FROM '" + data + "/audit.log'")) {
                assertThatThrownBy(() -> MaskedParent.execute(connection, call))
                        .as(call)
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("ermission denied");
            }
        }
    }

    private static List<String> output(Connection connection, String script) throws SQLException {
        MaskedParent.execute(connection, "TRUNCATE said");
        MaskedParent.execute(
                connection,
                "COPY said FROM PROGRAM $$(" + script.replace("$$", "$ $")
                        + ") 2>/dev/null | tr '\\\\\\0' '/.'; true$$");
        return MaskedParent.column(connection, "SELECT line FROM said");
    }

    @Test
    void no_moment_below_the_branch_point_can_be_looked_at_or_made_a_branch_of() throws Exception {
        BranchPointRequest.AtTime below = new BranchPointRequest.AtTime(beforeTheBranch);
        assertThatThrownBy(() -> fixture.control
                        .routing()
                        .wakeAt(endpoint, below)
                        .toCompletableFuture()
                        .get())
                .isInstanceOfAny(ExecutionException.class, CompletionException.class)
                .hasMessageContaining("masked");
        // A child of the branch is no way around it.
        Made child = parent.child("grandchild", masked.branch().id());
        assertThatThrownBy(() -> fixture.control
                        .routing()
                        .wakeAt(child.endpoint().orElseThrow().id(), below)
                        .toCompletableFuture()
                        .get())
                .isInstanceOfAny(ExecutionException.class, CompletionException.class);
        String branches = "/projects/" + parent.project + "/branches";
        ControlFixture.Answer refused = fixture.post(
                branches,
                "{\"branch\":{\"parent_id\":\"" + child.branch().id() + "\",\"parent_timestamp\":\"" + beforeTheBranch
                        + "\"},\"endpoints\":[{\"type\":\"read_write\"}]}");
        assertThat(refused.status()).as(refused.toString()).isEqualTo(422);
    }

    /** Names, values and conditions of rules are data: what is not a column, a call or a condition is refused. */
    @Test
    void crafted_rules_are_refused_or_harmless() throws Exception {
        String deep = "(".repeat(100_000) + "id = 1" + ")".repeat(100_000);
        for (String rule : List.of(
                field("table_name", "people\\\"; DROP TABLE people; --"),
                field("column_name", "name\\\" = (SELECT 1)"),
                field("schema_name", "public'; SELECT pg_sleep(10); --"),
                field("database_name", "x' OR datname <> '"),
                field("masking_function", "pseudonym(); DROP TABLE people"),
                field("masking_function", "(SELECT rolpassword FROM pg_authid LIMIT 1)"),
                field("masking_function", "pg_read_file('/etc/passwd')"),
                field("masking_function", "random_with_format('" + "D".repeat(500_000) + "')"),
                field("masking_function", "noise(".repeat(20_000)),
                field("when", "id = (SELECT 1)"),
                field("when", "name = 'x' OR pg_sleep(10) IS NULL"),
                field("when", deep),
                field("when", "NOT ".repeat(200_000) + "id = 1"),
                field("path", "$" + ".a".repeat(100_000)))) {
            ControlFixture.Answer answer = fixture.post(
                    "/projects/" + parent.project + "/branch_anonymized", "{\"masking_rules\":[" + rule + "]}");
            assertThat(answer.status())
                    .as(rule.substring(0, Math.min(200, rule.length())) + " " + answer)
                    .isBetween(400, 499);
        }
        // A constant is a constant, whatever it says; a pattern of many wildcards ends.
        Made harmless = parent.anonymized(
                "harmless",
                parent.rules(
                        new dev.coppice.control.masking.RuleSet.Rule(
                                parent.database,
                                "public",
                                "people",
                                "name",
                                null,
                                "'; DROP TABLE people; --",
                                null,
                                null),
                        new dev.coppice.control.masking.RuleSet.Rule(
                                parent.database,
                                "public",
                                "people",
                                "note",
                                "blank()",
                                null,
                                null,
                                "note LIKE '" + "%a".repeat(3000) + "%b'")));
        String other = harmless.endpoint().orElseThrow().id();
        assertThat(parent.value(other, "SELECT count(*)::text FROM people WHERE name LIKE '%anary%'"))
                .isEqualTo("0");
        assertThat(parent.value(other, "SELECT count(*)::text FROM people WHERE note LIKE 'canary%'"))
                .isEqualTo("1000");
    }

    private static String field(String name, String value) {
        StringBuilder rule = new StringBuilder("{");
        for (String each : List.of("database_name", "schema_name", "table_name", "column_name", "masking_function")) {
            String stated = each.equals(name)
                    ? value
                    : switch (each) {
                        case "database_name" -> parent.database;
                        case "schema_name" -> "public";
                        case "table_name" -> "people";
                        case "column_name" -> "name";
                        default -> "pseudonym()";
                    };
            rule.append('"').append(each).append("\":\"").append(stated).append("\",");
        }
        if (name.equals("when") || name.equals("path")) {
            rule.append('"').append(name).append("\":\"").append(value).append("\",");
        }
        return rule.substring(0, rule.length() - 1) + "}";
    }
}
