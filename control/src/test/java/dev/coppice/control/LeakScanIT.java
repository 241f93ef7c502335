package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.PostgresBinaries;
import dev.coppice.control.anonymize.AnonymizeWorkflow;
import dev.coppice.control.branch.Made;
import dev.coppice.control.catalog.PostgresVersions;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.masking.Protection;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.timeline.BranchPointRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A parent with secrets in every place and state, and not one of them in what an anonymized branch of it is served. Without any one
 * of the protections, some are.
 */
class LeakScanIT {
    private static final String TEXT = "zqcanary";
    private static final long NUMBER = 7_741_239_876_543_210_987L;
    private static final String UUID = "5eed5eed-c0de-4bad-9bad-0123456789ab";

    private static ControlFixture fixture;
    private static MaskedParent parent;
    private static Map<String, byte[]> secrets;

    @BeforeAll
    static void seed() throws Exception {
        fixture = new ControlFixture(-1);
        parent = new MaskedParent(fixture, "leaks");
        secrets = new LinkedHashMap<>();
        secrets.put("text", TEXT.getBytes(StandardCharsets.UTF_8));
        secrets.put(
                "number",
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(NUMBER)
                        .array());
        secrets.put("uuid", HexFormat.of().parseHex(UUID.replace("-", "")));
        parent.execute(parent.endpoint, "ALTER SYSTEM SET max_prepared_transactions = 5");
        fixture.control.wiring().ground.monitor().suspend(parent.endpoint);
        try (Connection connection = parent.connect(parent.endpoint)) {
            rows(connection);
            relations(connection);
            catalogs(connection);
            String verifier = MaskedParent.column(
                            connection,
                            "SELECT rolpassword FROM pg_authid WHERE rolpassword LIKE 'SCRAM%' AND rolname <> 'zqrole' LIMIT 1")
                    .getFirst();
            secrets.put("password", verifier.substring(verifier.length() - 40).getBytes(StandardCharsets.UTF_8));
        }
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static void all(Connection connection, String... statements) throws SQLException {
        for (String sql : statements) {
            MaskedParent.execute(connection, sql);
        }
    }

    /** Live, updated, deleted, vacuumed, aborted; in line, compressed, out of line; dropped and added columns. */
    private static void rows(Connection connection) throws SQLException {
        // Not every build of Postgres has lz4.
        boolean lz4 = !MaskedParent.column(
                        connection,
                        "SELECT name FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)")
                .isEmpty();
        all(
                connection,
                "CREATE TABLE people (id int PRIMARY KEY, name text, big int8, key uuid, doc jsonb, raw json, tags text[],"
                        + " bytes bytea, num numeric, long_plain text, long_packed text, lz text COMPRESSION "
                        + (lz4 ? "lz4" : "pglz") + ", shown text,"
                        + " gone text, extra varchar(100), ts tsvector)",
                "ALTER TABLE people ALTER long_plain SET STORAGE EXTERNAL, ALTER shown SET STORAGE EXTERNAL",
                "INSERT INTO people SELECT n, 'zqcanary name ' || n, " + NUMBER + ", '" + UUID + "',"
                        + " jsonb_build_object('k', 'zqcanary ' || n, 'deep', jsonb_build_array('zqcanary', n)),"
                        + " json_build_object('k', 'zqcanary ' || n), array['zqcanary', n::text],"
                        + " convert_to('zqcanary ' || n, 'UTF8'), " + NUMBER + ", repeat('zqcanary ' || n, 500),"
                        + " (SELECT string_agg('zqcanary ' || md5((n * i)::text), ' ') FROM generate_series(1, 200) i),"
                        + " 'zqcanary ' || repeat('lz4 ' || n, 900), repeat('shown ' || n, 600), 'zqcanary gone ' || n,"
                        + " 'zqcanary ' || repeat('x', 60), to_tsvector('simple', 'zqcanary ' || n)"
                        + " FROM generate_series(1, 60) n",
                "UPDATE people SET name = 'zqcanary updated ' || id, long_packed = long_packed || 'zqcanary' WHERE id % 3 = 0",
                "DELETE FROM people WHERE id % 7 = 0",
                "VACUUM people",
                "DELETE FROM people WHERE id % 5 = 0",
                "DO $$ BEGIN INSERT INTO people (id, name) VALUES (1000, 'zqcanary aborted'); RAISE 'no';"
                        + " EXCEPTION WHEN OTHERS THEN NULL; END $$",
                "ALTER TABLE people DROP COLUMN gone",
                "ALTER TABLE people ADD COLUMN added text DEFAULT 'zqcanary added'",
                "ALTER TABLE people ADD COLUMN added_number int8 DEFAULT " + NUMBER,
                "ALTER TABLE people ADD COLUMN added_shown text DEFAULT 'shown default'",
                "CREATE INDEX ON people (name)",
                "CREATE INDEX ON people USING hash (big)",
                "CREATE INDEX ON people USING gin (doc)",
                "CREATE INDEX ON people USING gin (tags)",
                "CREATE INDEX ON people USING gist (ts)",
                "CREATE INDEX ON people USING spgist (extra)",
                "CREATE INDEX ON people USING brin (name)",
                "CREATE INDEX ON people (lower(name))",
                "CREATE INDEX ON people (id) INCLUDE (extra)",
                "CREATE INDEX ON people (id) WHERE name > 'a'",
                "CREATE STATISTICS people_stats (mcv) ON name, extra FROM people");
    }

    /** Partitions, children, views, what is unlogged, dropped or large. */
    private static void relations(Connection connection) throws SQLException {
        all(
                connection,
                "CREATE TABLE parts (id int, name text) PARTITION BY RANGE (id)",
                "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)",
                "INSERT INTO parts SELECT n, 'zqcanary part ' || n FROM generate_series(1, 50) n",
                "CREATE INDEX ON parts (name)",
                "CREATE TABLE base (id int, name text)",
                "CREATE TABLE child (more text) INHERITS (base)",
                "INSERT INTO child SELECT n, 'zqcanary child ' || n, 'more' FROM generate_series(1, 50) n",
                "CREATE UNLOGGED TABLE fast (name text)",
                "INSERT INTO fast SELECT 'zqcanary unlogged ' || n FROM generate_series(1, 50) n",
                "CREATE VIEW people_names AS SELECT id, name FROM people",
                "CREATE MATERIALIZED VIEW people_copy AS SELECT * FROM people_names",
                "CREATE INDEX ON people_copy (name)",
                "CREATE TABLE computed AS SELECT n AS id, 'zqcanary computed ' || n AS name FROM generate_series(1, 50) n",
                "CREATE TABLE doomed AS SELECT 'zqcanary doomed ' || n AS name FROM generate_series(1, 50) n",
                "DROP TABLE doomed",
                "SELECT lo_from_bytea(0, convert_to(repeat('zqcanary large ', 500), 'UTF8'))",
                "ANALYZE");
    }

    /** What stands in catalogs and in other files. */
    private static void catalogs(Connection connection) throws SQLException {
        all(
                connection,
                "COMMENT ON TABLE people IS 'zqcanary comment'",
                "COMMENT ON DATABASE " + parent.database + " IS 'zqcanary shared comment'",
                "CREATE ROLE zqrole LOGIN PASSWORD 'old'",
                "ALTER ROLE zqrole PASSWORD 'new'",
                "ALTER ROLE zqrole SET app.secret = 'zqcanary setting'",
                "CREATE FOREIGN DATA WRAPPER far OPTIONS (debug 'zqcanary')",
                "CREATE SERVER production FOREIGN DATA WRAPPER far OPTIONS (host 'zqcanary')",
                "CREATE USER MAPPING FOR zqrole SERVER production OPTIONS (password 'zqcanary')",
                "CREATE FOREIGN TABLE far_away (n int OPTIONS (key 'zqcanary')) SERVER production OPTIONS (path 'zqcanary')",
                "CREATE SUBSCRIPTION link CONNECTION 'host=zqcanary password=zqcanary' PUBLICATION p WITH (connect = false)",
                "ALTER SYSTEM SET application_name = 'zqcanary'",
                "COPY (SELECT 'zqcanary file') TO '"
                        + MaskedParent.column(connection, "SELECT current_setting('data_directory')")
                                .getFirst()
                        + "/export.csv'",
                "SELECT pg_create_physical_replication_slot('zqslot', true)",
                "BEGIN",
                "INSERT INTO people (id, name) VALUES (5000, 'zqcanary prepared')",
                "PREPARE TRANSACTION 'zqcanary transaction'");
    }

    private static RuleSet rules() {
        return parent.rules(
                parent.rule("people", "name", "pseudonym()"),
                parent.rule("people", "big", "random_between(1, 1000)"),
                parent.rule("people", "key", "pseudonym()"),
                parent.rule("people", "doc", "pseudonym()"),
                parent.rule("people", "raw", "blank()"),
                parent.rule("people", "tags", "pseudonym()"),
                parent.rule("people", "bytes", "pseudonym()"),
                parent.rule("people", "num", "random_between(1, 1000)"),
                parent.rule("people", "long_plain", "hash()"),
                parent.rule("people", "long_packed", "pseudonym()"),
                parent.rule("people", "lz", "hash()"),
                parent.rule("people", "extra", "partial(1, '***', 1)"),
                parent.rule("people", "ts", "blank()"),
                parent.rule("people", "added", "pseudonym()"),
                parent.rule("people", "added_number", "random_between(1, 1000)"),
                parent.rule("parts", "name", "pseudonym()"),
                parent.rule("base", "name", "pseudonym()"),
                parent.rule("fast", "name", "pseudonym()"),
                parent.rule("computed", "name", "sql('computed ' || id)"));
    }

    private static AnonymizeWorkflow without(Set<Protection> missing) {
        Wiring wiring = fixture.control.wiring();
        Masking masking = wiring.masking.with(EnumSet.complementOf(EnumSet.copyOf(missing)));
        fixture.pages.useBoundaries(masking.loader());
        return wiring.with(masking).anonymizing;
    }

    private static LeakScan scan(Branch branch) throws IOException {
        return scan(fixture, branch);
    }

    private static LeakScan scan(ControlFixture in, Branch branch) throws IOException {
        return new LeakScan(secrets).over(in.pages.timeline(new TimelineId(branch.timelineId())));
    }

    @Test
    void nothing_that_is_served_to_an_anonymized_branch_or_its_child_holds_a_secret() throws Exception {
        Made made = parent.anonymized("masked", rules());
        LeakScan scan = scan(made.branch());
        assertThat(scan.places()).isEmpty();
        // It did look: a branch is some megabytes.
        assertThat(scan.bytes()).isGreaterThan(10 << 20);
        Made child = parent.child("child", made.branch().id());
        assertThat(scan(child.branch()).places()).isEmpty();

        String endpoint = made.endpoint().orElseThrow().id();
        // What is shown is there, out of line too, and what is not shown is valid.
        assertThat(parent.value(endpoint, "SELECT bool_and(shown = repeat('shown ' || id, 600))::text FROM people"))
                .isEqualTo("true");
        assertThat(parent.value(endpoint, "SELECT min(added_shown) FROM people"))
                .isEqualTo("shown default");
        assertThat(parent.value(endpoint, "SELECT count(*)::text FROM people_copy"))
                .isEqualTo(parent.value(endpoint, "SELECT count(*)::text FROM people"));
        try (Connection connection = parent.connect(endpoint)) {
            assertThat(MaskedParent.findings(connection)).isEmpty();
            all(
                    connection,
                    "VACUUM FULL people",
                    "UPDATE people SET name = name || 'x', doc = doc || '{\"more\": 1}'",
                    "UPDATE parts SET name = name || 'x'",
                    "ANALYZE");
            assertThat(MaskedParent.findings(connection)).isEmpty();
        }
        assertThat(scan(made.branch()).places()).isEmpty();
        // The parent holds them all, or nothing was shown.
        LeakScan original = new LeakScan(secrets)
                .over(fixture.pages.timeline(new TimelineId(fixture.control
                        .wiring()
                        .ground
                        .catalog()
                        .inventory()
                        .branch(parent.main)
                        .orElseThrow()
                        .timelineId())));
        for (String secret : secrets.keySet()) {
            assertThat(original.places()).anyMatch(place -> place.startsWith(secret));
        }
    }

    @Test
    void without_any_one_of_the_protections_the_scan_finds_something() throws Exception {
        try {
            for (Protection missing : Protection.values()) {
                if (missing == Protection.PREPARED_TRANSACTIONS) {
                    continue; // Their files are unknown ones: see the next test.
                }
                Made made = without(Set.of(missing))
                        .create(
                                parent.request(
                                        "without-"
                                                + missing.name()
                                                        .toLowerCase(Locale.ROOT)
                                                        .replace('_', '-'),
                                        parent.main,
                                        new BranchPointRequest.Head()),
                                rules());
                if (scan(made.branch()).places().isEmpty()) {
                    fail("without " + missing + " nothing is found: the scan does not look there");
                }
            }
        } finally {
            fixture.pages.useBoundaries(fixture.control.wiring().masking.loader());
        }
    }

    /** The name of one is in a file of pg_twophase, which two protections keep away. */
    @Test
    void prepared_transactions_are_rolled_back_and_their_files_are_not_shown() throws Exception {
        MaskedParent prepared = new MaskedParent(fixture, "prepared");
        prepared.execute(prepared.endpoint, "ALTER SYSTEM SET max_prepared_transactions = 5");
        fixture.control.wiring().ground.monitor().suspend(prepared.endpoint);
        prepared.execute(
                prepared.endpoint,
                "CREATE TABLE people (name text)",
                "BEGIN",
                "INSERT INTO people VALUES ('zqcanary prepared')",
                "PREPARE TRANSACTION 'zqcanary transaction'");
        RuleSet hidden = prepared.rules(prepared.rule("people", "name", "hash()"));
        try {
            Map<Set<Protection>, Boolean> shown = Map.of(
                    Set.of(Protection.PREPARED_TRANSACTIONS), false,
                    Set.of(Protection.UNKNOWN_FILES), false,
                    Set.of(Protection.PREPARED_TRANSACTIONS, Protection.UNKNOWN_FILES), true);
            for (Map.Entry<Set<Protection>, Boolean> each : shown.entrySet()) {
                Made made = without(each.getKey())
                        .create(
                                prepared.request(
                                        "without-" + each.getKey().hashCode(),
                                        prepared.main,
                                        new BranchPointRequest.Head()),
                                hidden);
                assertThat(scan(made.branch()).places().stream().anyMatch(place -> place.contains("pg_twophase")))
                        .as("without %s", each.getKey())
                        .isEqualTo(each.getValue());
            }
        } finally {
            fixture.pages.useBoundaries(fixture.control.wiring().masking.loader());
        }
    }

    /** The bundled Postgres has no lz4; what the machine has may. */
    @Test
    void values_compressed_with_lz4_are_masked_in_line_and_out_of_line() throws Exception {
        Optional<PostgresBinaries> installed =
                PostgresVersions.installed().stream().findFirst();
        assumeTrue(installed.isPresent(), "no Postgres with lz4 is installed");
        try (ControlFixture other = new ControlFixture(installed.get())) {
            MaskedParent packed = new MaskedParent(other, "packed");
            packed.execute(
                    packed.endpoint,
                    "CREATE TABLE packed (id int PRIMARY KEY, inside text COMPRESSION lz4, outside text COMPRESSION lz4)",
                    "INSERT INTO packed SELECT n, 'zqcanary ' || repeat('inside ' || n, 900), 'zqcanary ' ||"
                            + " (SELECT string_agg('zqcanary ' || md5((n * i)::text), ' ') FROM generate_series(1, 300) i)"
                            + " FROM generate_series(1, 40) n");
            assertThat(packed.value(
                            packed.endpoint,
                            "SELECT string_agg(DISTINCT pg_column_compression(inside) || pg_column_compression(outside), '')"
                                    + " FROM packed"))
                    .isEqualTo("lz4lz4");
            RuleSet hidden = packed.rules(
                    packed.rule("packed", "inside", "hash()"), packed.rule("packed", "outside", "pseudonym()"));
            Made masked = packed.anonymized("masked", hidden);
            assertThat(scan(other, masked.branch()).places()).isEmpty();
            try (Connection connection =
                    packed.connect(masked.endpoint().orElseThrow().id())) {
                assertThat(MaskedParent.findings(connection)).isEmpty();
            }
            for (Protection missing : Set.of(Protection.HEAP_PAGES, Protection.TOAST_PAGES)) {
                Wiring wiring = other.control.wiring();
                Masking weak = wiring.masking.with(EnumSet.complementOf(EnumSet.of(missing)));
                other.pages.useBoundaries(weak.loader());
                Made made = wiring.with(weak)
                        .anonymizing
                        .create(
                                packed.request(
                                        "without-"
                                                + missing.name()
                                                        .toLowerCase(Locale.ROOT)
                                                        .replace('_', '-'),
                                        packed.main,
                                        new BranchPointRequest.Head()),
                                hidden);
                assertThat(scan(other, made.branch()).places())
                        .as("without %s", missing)
                        .isNotEmpty();
            }
        }
    }
}
