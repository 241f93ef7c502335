package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The schema as SQL, and what differs between branches and between moments. */
class SchemaComparisonIT {
    private static final String[] OBJECTS = {
        "CREATE SCHEMA app",
        "CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'happy')",
        "CREATE TYPE app.pair AS (a int, b text)",
        "CREATE DOMAIN app.positive AS numeric(10, 2) DEFAULT 1 CONSTRAINT above CHECK (VALUE > 0)",
        "CREATE TYPE app.span AS RANGE (subtype = timestamptz)",
        "CREATE SEQUENCE app.numbers START 100 INCREMENT 5 CYCLE MAXVALUE 1000",
        "CREATE TABLE app.person (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40) NOT NULL"
                + " COLLATE \"C\", mood app.mood DEFAULT 'sad', born date, age_days int GENERATED ALWAYS AS (born - '2000-01-01')"
                + " STORED, balance app.positive, UNIQUE (name, born), CONSTRAINT named CHECK (length(name) > 1))",
        "CREATE TABLE app.\"Order\" (id serial, person bigint REFERENCES app.person ON DELETE CASCADE, n int DEFAULT"
                + " nextval('app.numbers'), tags text[])",
        "CREATE INDEX by_tags ON app.\"Order\" USING gin (tags) WHERE n > 3",
        "CREATE TABLE app.event (at timestamptz NOT NULL, v jsonb) PARTITION BY RANGE (at)",
        "CREATE TABLE app.event_2026 PARTITION OF app.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE INDEX event_at ON app.event (at)",
        "CREATE TABLE app.child (extra int) INHERITS (app.person)",
        "CREATE UNLOGGED TABLE app.fast (k int) WITH (fillfactor = 70)",
        "CREATE VIEW app.a_happy AS SELECT id, name FROM app.person WHERE mood = 'happy'",
        "CREATE VIEW app.\"0_first\" AS SELECT * FROM app.a_happy",
        "CREATE MATERIALIZED VIEW app.names AS SELECT DISTINCT name FROM app.person",
        "CREATE UNIQUE INDEX ON app.names (name)",
        "CREATE FUNCTION app.twice(n int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'",
        "CREATE PROCEDURE app.nothing() LANGUAGE plpgsql AS 'BEGIN NULL; END'",
        "CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
        "CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER touched BEFORE UPDATE ON app.person FOR EACH ROW EXECUTE FUNCTION app.touch()",
        "ALTER TABLE app.person DISABLE TRIGGER touched",
        "CREATE RULE quiet AS ON DELETE TO app.fast DO INSTEAD NOTHING",
        "ALTER TABLE app.person ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON app.person FOR SELECT TO PUBLIC USING (name = current_user)",
        "CREATE STATISTICS app.related ON name, born FROM app.person",
        "GRANT SELECT ON app.person TO pg_monitor WITH GRANT OPTION",
        "REVOKE EXECUTE ON FUNCTION app.twice(int) FROM PUBLIC",
        "COMMENT ON TABLE app.person IS 'it''s people'",
        "COMMENT ON COLUMN app.person.name IS 'in full'",
        "COMMENT ON FUNCTION app.twice(int) IS 'doubles'",
        "CREATE EXTENSION amcheck",
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER elsewhere TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.example.com', dbname"
                + " 'it''s')",
        "CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'reader', password 'not-to-be-shown')",
        "CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (password 'not-to-be-shown')",
        "CREATE FOREIGN TABLE app.remote (a int) SERVER elsewhere OPTIONS (schema_name 'public', table_name 'other')",
        "CREATE TEXT SEARCH DICTIONARY app.simply (TEMPLATE = simple, accept = false)",
        "CREATE TEXT SEARCH CONFIGURATION app.search (COPY = simple)",
        "ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword, word WITH app.simply, simple",
        "CREATE FUNCTION app.mood_of(int) RETURNS app.mood LANGUAGE sql IMMUTABLE AS 'SELECT ''sad''::app.mood'",
        "CREATE CAST (int AS app.mood) WITH FUNCTION app.mood_of(int) AS ASSIGNMENT",
        "CREATE CAST (app.mood AS varchar) WITH INOUT",
        "CREATE FUNCTION app.same(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a = $2.a'",
        "CREATE FUNCTION app.other(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.a <> $2.a'",
        "CREATE OPERATOR app.=== (FUNCTION = app.same, LEFTARG = app.pair, RIGHTARG = app.pair, COMMUTATOR ="
                + " OPERATOR(app.===), NEGATOR = OPERATOR(app.!==), RESTRICT = eqsel, JOIN = eqjoinsel)",
        "CREATE OPERATOR app.!== (FUNCTION = app.other, LEFTARG = app.pair, RIGHTARG = app.pair, NEGATOR ="
                + " OPERATOR(app.===))",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor WITH GRANT OPTION",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO PUBLIC"
    };

    private static ControlFixture fixture;
    private static ProjectFixture project;

    @BeforeAll
    static void open() throws Exception {
        fixture = new ControlFixture(-1);
        project = new ProjectFixture(fixture, "schemas");
        project.executeIn(project.main, "coppice", OBJECTS);
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @Test
    void the_text_makes_the_same_schema_again() throws Exception {
        String text = schema(project.main, "coppice", "");
        assertThat(text)
                .contains("CREATE TABLE app.\"Order\"", "GENERATED ALWAYS AS IDENTITY", "PARTITION OF app.event")
                .contains("COMMENT ON COLUMN app.person.name IS 'in full';")
                .contains(
                        "OPTIONS (dbname 'it''s', host 'db.example.com')",
                        "CREATE CAST (integer AS app.mood) WITH FUNCTION")
                .contains("ADD MAPPING FOR asciiword WITH app.simply, simple;", "CREATE OPERATOR app.!== (")
                .contains("REVOKE EXECUTE ON FUNCTION app.twice(n integer) FROM PUBLIC;")
                .contains("IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor WITH GRANT OPTION;")
                .contains("REVOKE ALL ON FUNCTIONS FROM PUBLIC;", "GRANT USAGE ON SEQUENCES TO PUBLIC;")
                .doesNotContain("bt_index_check", "not-to-be-shown");
        project.execute(project.main, "DROP DATABASE IF EXISTS again", "CREATE DATABASE again");
        project.executeIn(project.main, "again", text);
        assertThat(schema(project.main, "again", "")).isEqualTo(text);
    }

    @Test
    void a_branch_differs_from_its_parent_in_what_was_changed_in_it() throws Exception {
        String dev = project.created("dev");
        assertThat(difference(dev, "")).isEmpty();
        project.executeIn(
                dev,
                "coppice",
                "ALTER TABLE app.person ADD COLUMN phone text",
                "DROP INDEX app.by_tags",
                "CREATE TABLE app.zebra (stripes int)");
        String diff = difference(dev, "&base_branch_id=" + project.main);
        assertThat(diff)
                .startsWith("--- a/main\n+++ b/dev\n@@")
                .contains("\n+    phone text", "\n-CREATE INDEX by_tags", "\n+CREATE TABLE app.zebra (");
        assertThat(difference(dev, "")).isEqualTo(diff);
    }

    @Test
    void a_branch_differs_from_what_it_was() throws Exception {
        String dev = project.created("past");
        String before = project.query(dev, "SELECT pg_current_wal_insert_lsn()::text");
        project.executeIn(dev, "coppice", "CREATE TABLE app.later (n int)");
        assertThat(schema(dev, "coppice", "&lsn=" + before)).doesNotContain("app.later");
        String diff = difference(dev, "&base_branch_id=" + dev + "&base_lsn=" + before);
        assertThat(diff).startsWith("--- a/past@" + before).contains("\n+CREATE TABLE app.later");
    }

    @Test
    void what_is_not_there_is_named() {
        Answer noDatabase = fixture.get(project.base + "/branches/" + project.main + "/schema?db_name=none");
        assertThat(noDatabase.status()).isEqualTo(404);
        assertThat(noDatabase.text("/message")).contains("\"none\"");
        assertThat(fixture.get(project.base + "/branches/" + project.main + "/schema")
                        .text("/message"))
                .contains("db_name");
        assertThat(fixture.get(project.base + "/branches/" + project.main + "/compare_schema?db_name=coppice")
                        .text("/message"))
                .contains("base_branch_id");
        assertThat(fixture.get(project.base + "/branches/" + project.main + "/schema?db_name=coppice&lsn=7/0")
                        .status())
                .isEqualTo(422);
    }

    private static String schema(String branch, String database, String more) {
        Answer answer = fixture.get(project.base + "/branches/" + branch + "/schema?db_name=" + database + more);
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        return answer.text("/sql");
    }

    private static String difference(String branch, String more) {
        Answer answer = fixture.get(project.base + "/branches/" + branch + "/compare_schema?db_name=coppice" + more);
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        return answer.text("/diff");
    }
}
