package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.PageConsumer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A branch with the parent's tables and none of its rows: every byte that it can read is looked through for them. */
class SchemaOnlyIT {
    /** In every row that the parent has or had. */
    private static final String CANARY = "CANARY";

    private static ControlFixture fixture;

    private ProjectFixture project;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @BeforeEach
    void makeProject() {
        project = new ProjectFixture(fixture, "schema-only");
    }

    private void plantCanaries() throws Exception {
        project.executeIn(
                project.main,
                "coppice",
                "CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text UNIQUE, note text)",
                "CREATE TABLE purchase (id serial PRIMARY KEY, person bigint REFERENCES person, what text)",
                "ALTER TABLE person ADD COLUMN last_purchase int REFERENCES purchase",
                "CREATE INDEX ON person (lower(mail))",
                "CREATE UNLOGGED TABLE scratch AS SELECT 'CANARY unlogged ' || g AS v FROM generate_series(1, 50) g",
                "CREATE TABLE measure (at date, v text) PARTITION BY RANGE (at)",
                "CREATE TABLE measure_2026 PARTITION OF measure FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
                "CREATE INDEX ON measure (v)",
                "INSERT INTO measure SELECT '2026-05-05', 'CANARY part ' || g FROM generate_series(1, 50) g",
                "INSERT INTO person (mail, note) SELECT 'CANARY' || g || '@example.com', 'CANARY' || (SELECT"
                        + " string_agg(md5(random()::text), '') FROM generate_series(1, 200)) FROM generate_series(1, 200) g",
                "INSERT INTO purchase (person, what) SELECT id, 'CANARY book ' || id FROM person",
                "UPDATE person SET mail = 'CANARY new ' || id WHERE id < 20",
                "DELETE FROM purchase WHERE id < 30",
                "CREATE MATERIALIZED VIEW mails AS SELECT upper(mail) AS mail FROM person",
                "CREATE INDEX ON mails (mail)",
                "ALTER TABLE purchase ADD COLUMN origin text DEFAULT upper('canary missing')",
                "ALTER TABLE purchase ALTER COLUMN origin DROP DEFAULT",
                "CREATE STATISTICS both_names (mcv) ON mail, note FROM person",
                "SELECT lo_from_bytea(0, convert_to('CANARY large object', 'UTF8'))",
                "CREATE TABLE dropped AS SELECT 'CANARY dropped' AS v",
                "DROP TABLE dropped",
                "CREATE SCHEMA \"odd \"\"name\"",
                "CREATE TABLE \"odd \"\"name\".\"Table\" AS SELECT 'CANARY odd' AS \"Column\"",
                "DO $$ BEGIN EXECUTE format('COPY person TO %L', current_setting('data_directory') || '/leak.csv'); END $$",
                "ANALYZE");
        project.execute(
                project.main,
                "CREATE DATABASE closed",
                "CREATE TABLE here AS SELECT 'CANARY in postgres' AS v",
                "CHECKPOINT");
        project.executeIn(project.main, "closed", "CREATE TABLE c AS SELECT 'CANARY closed' AS v");
        project.executeIn(project.main, "template1", "CREATE TABLE t AS SELECT 'CANARY template' AS v");
        project.execute(project.main, "ALTER DATABASE closed ALLOW_CONNECTIONS false");
    }

    @Test
    void no_byte_of_a_row_can_be_read_in_the_branch_and_everything_else_is_there() throws Exception {
        plantCanaries();
        assertThat(canaries(project.main))
                .as("the scan finds what there is to find")
                .isNotEmpty();
        Answer made = project.create("\"name\":\"blank\",\"init_source\":\"schema-only\"");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        assertThat(made.text("/branch/init_source")).isEqualTo("schema-only");
        assertThat(made.text("/branch/parent_id")).isEmpty();
        String blank = made.text("/branch/id");
        Timeline timeline =
                fixture.pages.timeline(new TimelineId(project.row(blank).timelineId()));
        assertThat(canaries(blank)).isEmpty();
        assertThat(timeline.ancestor()).isEmpty();
        Lsn below = new Lsn(timeline.horizon().value() - 8);
        assertThatThrownBy(() -> timeline.readFile("PG_VERSION", below)).isInstanceOf(OutsideHistoryException.class);

        assertThat(count(blank, "person")).isEqualTo("0");
        assertThat(count(blank, "purchase")).isEqualTo("0");
        assertThat(count(blank, "measure")).isEqualTo("0");
        assertThat(count(blank, "scratch")).isEqualTo("0");
        assertThat(count(blank, "\"odd \"\"name\".\"Table\"")).isEqualTo("0");
        assertThat(count(blank, "pg_largeobject_metadata")).isEqualTo("0");
        assertThat(project.queryIn(
                        blank, "coppice", "SELECT relispopulated::text FROM pg_class WHERE relname = 'mails'"))
                .isEqualTo("false");
        assertThat(project.query(blank, "SELECT datallowconn::text FROM pg_database WHERE datname = 'closed'"))
                .isEqualTo("false");
        assertThat(schema(blank)).isEqualTo(schema(project.main));

        project.executeIn(blank, "coppice", "INSERT INTO person (mail) VALUES ('one@example.com')");
        assertThat(project.queryIn(blank, "coppice", "SELECT id FROM person")).isEqualTo("1");
        project.executeIn(
                blank,
                "coppice",
                "INSERT INTO purchase (person, what) VALUES (1, 'x')",
                "REFRESH MATERIALIZED VIEW mails",
                "CREATE EXTENSION amcheck",
                "DO $$ DECLARE i regclass; BEGIN FOR i IN SELECT c.oid FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
                        + " WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't'"
                        + " LOOP PERFORM bt_index_check(i, true); END LOOP; END $$");
        assertThat(project.queryIn(blank, "coppice", "SELECT id FROM purchase")).isEqualTo("1");
        String child = project.created("child", blank);
        assertThat(count(child, "person")).isEqualTo("1");
        fixture.computes.suspend(project.endpointOf(blank)).join();
        assertThat(count(blank, "person")).isEqualTo("1");
        assertThat(canaries(blank)).isEmpty();
        assertThat(count(project.main, "person")).isEqualTo("200");
        project.delete(child);
        assertThat(project.delete(blank).status()).isEqualTo(200);
        assertThat(project.timelines()).containsExactly(project.main);
    }

    @Test
    void a_trigger_that_nothing_stops_fills_no_table() throws Exception {
        project.executeIn(
                project.main,
                "coppice",
                "CREATE TABLE a AS SELECT 'CANARY' AS v",
                "CREATE TABLE b AS SELECT 'CANARY' AS v",
                "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
                        + " 'BEGIN INSERT INTO public.a VALUES (''CANARY again''); RETURN NULL; END'",
                "CREATE TRIGGER keep AFTER TRUNCATE ON b EXECUTE FUNCTION keep()",
                "ALTER TABLE b ENABLE ALWAYS TRIGGER keep");
        Answer made = project.create("\"name\":\"blank\",\"init_source\":\"schema-only\"");
        assertThat(made.status()).as(made.body().toString()).isEqualTo(201);
        assertThat(count(made.text("/branch/id"), "a")).isEqualTo("0");
        assertThat(project.queryIn(
                        made.text("/branch/id"),
                        "coppice",
                        "SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'keep'"))
                .isEqualTo("A");
        assertThat(project.delete(made.text("/branch/id")).status()).isEqualTo(200);
    }

    @Test
    void an_unknown_source_is_refused() {
        Answer refused = project.create("\"name\":\"x\",\"init_source\":\"rows-only\"");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text("/message")).contains("init_source");
    }

    private String count(String branch, String table) throws Exception {
        return project.queryIn(branch, "coppice", "SELECT count(*) FROM " + table);
    }

    private String schema(String branch) {
        Answer answer = fixture.get(project.base + "/branches/" + branch + "/schema?db_name=coppice");
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        return answer.text("/sql");
    }

    /** Every file of the branch, and every file of its write-ahead log, that has the canary in it. */
    private List<String> canaries(String branch) {
        Timeline timeline =
                fixture.pages.timeline(new TimelineId(project.row(branch).timelineId()));
        List<String> found = new ArrayList<>();
        List<String> directories = new ArrayList<>(List.of(""));
        directories.addAll(timeline.directories());
        for (String directory : directories) {
            for (DirectoryEntry entry : timeline.list(directory).orElse(List.of())) {
                String path = directory.isEmpty() ? entry.name() : directory + "/" + entry.name();
                if (entry.kind() == FileKind.FILE && (inPages(timeline, path) || inWhole(timeline, path))) {
                    found.add(path);
                }
            }
        }
        for (Path log : List.of(timeline.layout().wal(), timeline.layout().walArchive())) {
            try (Stream<Path> files = Files.list(log)) {
                files.filter(file -> Files.isRegularFile(file) && has(bytes(file)))
                        .forEach(file -> found.add(file.toString()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return found;
    }

    private static boolean inPages(Timeline timeline, String path) {
        long blocks = timeline.stat(path).size() / Timeline.BLOCK_SIZE;
        boolean[] found = new boolean[1];
        for (long block = 0; block < blocks; block++) {
            timeline.readPages(path, block, 1, new PageConsumer() {
                @Override
                public void zero(long at) {}

                @Override
                public void page(long at, long stamp, ByteBuffer page) {
                    byte[] bytes = new byte[page.remaining()];
                    page.get(bytes);
                    found[0] |= has(bytes);
                }
            });
        }
        return found[0];
    }

    private static boolean inWhole(Timeline timeline, String path) {
        return timeline.readFile(path).filter(SchemaOnlyIT::has).isPresent();
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean has(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1).contains(CANARY);
    }
}
