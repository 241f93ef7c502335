package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.sql.AdminConnection;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whatever users set, declare or define, the control plane's own sessions are as they should be and run nothing of it. */
class AdminConnectionIT {
    /** Settings that a user may change for an admin's session: speed, memory and statistics; no result depends on them. */
    private static final Pattern MAY_DIFFER =
            Pattern.compile("(cpu|enable|geqo|jit|parallel|min_parallel|max_parallel|vacuum|track|"
                    + "effective|log_parameter|debug_pretty|debug_logical)_.*|geqo|.*(_cost|_mem|_collapse_limit|_limit)"
                    + "|allow_in_place_tablespaces|backend_flush_after|commit_siblings|compute_query_id|constraint_exclusion"
                    + "|cursor_tuple_fraction|deadlock_timeout|default_statistics_target|escape_string_warning|file_copy_method"
                    + "|hash_mem_multiplier|icu_validation_level|log_lock_failures|log_statement_sample_rate|maintenance_io_concurrency"
                    + "|md5_password_warnings|output_plugin_libraries|plan_cache_mode|recursive_worktable_factor|scram_iterations"
                    + "|stats_fetch_consistency|synchronize_seqscans|temp_buffers|trace_notify|update_process_title|wal_compression"
                    + "|wal_sender_timeout|wal_skip_threshold|max_stack_depth");

    private static ControlFixture control;

    @BeforeAll
    static void open() throws IOException {
        control = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        control.close();
    }

    private static ComputeAddress address(ProjectFixture project) {
        String endpoint = project.endpointOf(project.main);
        project.socket(endpoint);
        return control.computes.address(endpoint).orElseThrow();
    }

    private static AdminConnection admin() {
        return new AdminConnection(control.computes.postgresVersion());
    }

    private static List<String> texts(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> texts = new ArrayList<>();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
            return texts;
        }
    }

    /** An administration that uses every way into the branch; each must do what it says. */
    private static void administrate(ProjectFixture project, String suffix) {
        String branch = project.base + "/branches/" + project.main;
        Answer role = control.post(branch + "/roles", "{\"role\":{\"name\":\"made_" + suffix + "\"}}");
        assertThat(role.status()).as(role.toString()).isEqualTo(201);
        Answer reset = control.post(branch + "/roles/made_" + suffix + "/reset_password", "{}");
        assertThat(reset.status()).as(reset.toString()).isEqualTo(200);
        Answer database = control.post(
                branch + "/databases",
                "{\"database\":{\"name\":\"db_" + suffix + "\",\"owner_name\":\"made_" + suffix + "\"}}");
        assertThat(database.status()).as(database.toString()).isEqualTo(201);
        Answer schema = control.get(branch + "/schema?db_name=coppice");
        assertThat(schema.status()).as(schema.toString()).isEqualTo(200);
        Answer copy = project.create("\"name\":\"schema-" + suffix + "\",\"parent_id\":\"" + project.main
                + "\",\"init_source\":\"schema-only\"");
        assertThat(copy.status()).as(copy.toString()).isEqualTo(201);
        Answer masked = control.post(
                project.base + "/branch_anonymized",
                "{\"branch_create\":{\"branch\":{\"name\":\"masked-" + suffix + "\",\"parent_id\":\"" + project.main
                        + "\"}},\"masking_rules\":[{\"database_name\":\"coppice\",\"schema_name\":\"public\",\"table_name\":\"people\","
                        + "\"column_name\":\"name\",\"masking_function\":\"pseudonym()\"}]}");
        assertThat(masked.status()).as(masked.toString()).isEqualTo(201);
        assertThat(control.delete(branch + "/databases/db_" + suffix).status()).isEqualTo(200);
        assertThat(control.delete(branch + "/roles/made_" + suffix).status()).isEqualTo(200);
    }

    private static ProjectFixture project(String name) throws SQLException {
        ProjectFixture project = new ProjectFixture(control, name);
        project.executeIn(
                project.main,
                "coppice",
                "CREATE TABLE people (id int PRIMARY KEY, name text)",
                "INSERT INTO people SELECT n, 'name ' || n FROM generate_series(1, 20) n");
        return project;
    }

    @Test
    void noSettingOfARoleOrDatabaseReachesThem() throws SQLException {
        ProjectFixture project = project("settings");
        List<String> before;
        String all =
                "SELECT name || ' = ' || setting FROM pg_settings WHERE context IN ('user', 'superuser', 'backend')"
                        + " AND name <> 'application_name' ORDER BY name";
        try (Connection connection = admin().open(address(project), "coppice")) {
            before = texts(connection, all);
        }
        // Every setting that can be given to all roles gets a value that it does not have.
        project.execute(project.main, """
                DO $$
                DECLARE s record; v text;
                BEGIN
                    FOR s IN SELECT * FROM pg_settings WHERE context IN ('user', 'superuser', 'backend', 'superuser-backend') LOOP
                        FOREACH v IN ARRAY CASE s.vartype
                            WHEN 'bool' THEN ARRAY[CASE s.setting WHEN 'on' THEN 'off' ELSE 'on' END]
                            WHEN 'enum' THEN s.enumvals
                            WHEN 'integer' THEN ARRAY[s.min_val, (s.min_val::numeric + 1)::text, s.max_val]
                            WHEN 'real' THEN ARRAY[s.min_val, s.max_val]
                            ELSE ARRAY['evil', 'Asia/Tokyo', 'en_US', 'postgres', '{}'] END
                        LOOP
                            CONTINUE WHEN v IS NULL OR v = s.setting;
                            BEGIN
                                EXECUTE format('ALTER ROLE ALL SET %I = %L', s.name, v);
                                EXIT;
                            EXCEPTION WHEN OTHERS THEN NULL;
                            END;
                        END LOOP;
                    END LOOP;
                END $$""");
        try (Connection connection = admin().open(address(project), "coppice")) {
            assertThat(Integer.parseInt(texts(
                                    connection,
                                    "SELECT cardinality(setconfig)::text FROM pg_db_role_setting WHERE setrole = 0")
                            .getFirst()))
                    .isGreaterThan(150);
            List<String> changed = texts(connection, all).stream()
                    .filter(line -> !before.contains(line))
                    .map(line -> line.substring(0, line.indexOf(' ')))
                    .filter(name -> !MAY_DIFFER.matcher(name).matches())
                    .toList();
            assertThat(changed).isEmpty();
        }
        administrate(project, "s");
    }

    /** The names that the control plane's statements use, in a schema that comes first in the path of everybody. */
    @Test
    void noFunctionOrOperatorOfAUserRunsInThem() throws SQLException {
        ProjectFixture project = project("evil");
        project.execute(project.main, "CREATE ROLE esc LOGIN", "CREATE DATABASE escdb OWNER esc");
        for (String database : List.of("escdb", "coppice")) {
            project.executeIn(
                    project.main,
                    database,
                    "CREATE SCHEMA evil",
                    "CREATE TABLE evil.log (who text, what text)",
                    "GRANT ALL ON SCHEMA evil TO public",
                    "GRANT ALL ON evil.log TO public",
                    evil("current_database()", "name", "'evil'::name"),
                    evil("coalesce(text, text)", "text", "$1"),
                    evil("eq(name, text)", "bool", "true"),
                    evil("eq(name, name)", "bool", "true"),
                    evil("eq(oid, oid)", "bool", "true"),
                    evil("ne(name, text)", "bool", "true"),
                    evil("quote_ident(text)", "text", "$1"),
                    evil("pg_is_in_recovery()", "bool", "true"),
                    evil("format_type(oid, int)", "text", "'evil'"),
                    evil("pg_terminate_backend(int, bigint)", "bool", "true"),
                    "CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.eq)",
                    "CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.eq)",
                    "CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.eq)",
                    "CREATE OPERATOR evil.<> (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.ne)",
                    "CREATE VIEW evil.pg_database AS SELECT * FROM pg_catalog.pg_database WHERE false",
                    "CREATE VIEW evil.pg_authid AS SELECT * FROM pg_catalog.pg_authid WHERE false",
                    "CREATE FUNCTION evil.login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
                            + " INSERT INTO evil.log VALUES (current_user, 'login'); RAISE 'no'; END $$",
                    "CREATE EVENT TRIGGER evil_login ON login EXECUTE FUNCTION evil.login()",
                    "ALTER EVENT TRIGGER evil_login ENABLE ALWAYS",
                    "CREATE EVENT TRIGGER evil_ddl ON ddl_command_start EXECUTE FUNCTION evil.login()",
                    "ALTER EVENT TRIGGER evil_ddl ENABLE ALWAYS");
            project.execute(project.main, "ALTER DATABASE " + database + " SET search_path = evil, pg_catalog");
        }
        administrate(project, "e");
        try (Connection connection = admin().open(address(project), "escdb")) {
            assertThat(texts(connection, "SELECT who || ' ' || what FROM evil.log"))
                    .isEmpty();
        }
        try (Connection connection = admin().open(address(project), "coppice")) {
            assertThat(texts(connection, "SELECT who || ' ' || what FROM evil.log"))
                    .isEmpty();
        }
    }

    private static String evil(String signature, String returns, String result) {
        return "CREATE FUNCTION evil." + signature.replace("coalesce", "\"coalesce\"") + " RETURNS " + returns
                + " LANGUAGE plpgsql AS $$ BEGIN INSERT INTO evil.log VALUES (current_user, '"
                + signature.replace("'", "") + "'); RETURN " + result + "; END $$";
    }

    /** A trigger that fires in spite of everything would run as the superuser that empties the tables. */
    @Test
    void noTriggerOfAUserRunsWhileTablesAreEmptied() throws SQLException {
        ProjectFixture project = project("triggers");
        project.executeIn(
                project.main,
                "coppice",
                "CREATE ROLE mallory",
                "CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE mallory SUPERUSER; RETURN NULL; END $$",
                "CREATE TRIGGER always BEFORE TRUNCATE ON people FOR EACH STATEMENT EXECUTE FUNCTION raise()",
                "ALTER TABLE people ENABLE ALWAYS TRIGGER always");
        Answer made = project.create(
                "\"name\":\"emptied\",\"parent_id\":\"" + project.main + "\",\"init_source\":\"schema-only\"");
        assertThat(made.status()).as(made.toString()).isEqualTo(201);
        String branch = made.text("/branch/id");
        assertThat(project.query(branch, "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'mallory'"))
                .isEqualTo("false");
        assertThat(project.queryIn(branch, "coppice", "SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'always'"))
                .isEqualTo("A");
    }

    /** Types that drivers do not know must not matter: nothing reads them but as text. */
    @Test
    void everyKindOfTypeCanBeThere() throws SQLException {
        ProjectFixture project = project("zoo");
        project.executeIn(
                project.main,
                "coppice",
                "CREATE TYPE over_arrays AS RANGE (SUBTYPE = int4[])",
                "CREATE TYPE over_enum_label AS ENUM ('a', 'b')",
                "CREATE TYPE over_enums AS RANGE (SUBTYPE = over_enum_label)",
                "CREATE DOMAIN small AS int CHECK (VALUE < 10)",
                "CREATE DOMAIN smalls AS small[]",
                "CREATE TYPE pair AS (a small, b over_arrays)",
                "CREATE TYPE pairs AS RANGE (SUBTYPE = pair)",
                "CREATE TYPE shell",
                "CREATE TYPE \"odd \"\" name\" AS (\"x y\" pair[])",
                "CREATE TABLE zoo (a over_arrays, b over_enums, c smalls, d pair[], e pairs, f \"odd \"\" name\", g xml,"
                        + " h money, i tsvector, j pg_lsn, k int4multirange, l oidvector, m jsonpath, n txid_snapshot)",
                "INSERT INTO zoo (a, c, g) VALUES ('[\"{1,2}\",\"{3}\")', '{1,2}', '<a/>')",
                "CREATE FUNCTION takes(over_arrays, pair[]) RETURNS SETOF pairs LANGUAGE sql AS 'SELECT NULL::pairs'",
                "CREATE CAST (pair AS text) WITH INOUT AS IMPLICIT");
        administrate(project, "z");
        Answer suggested = control.post(project.base + "/branches/" + project.main + "/masking_suggestions", "{}");
        assertThat(suggested.status()).as(suggested.toString()).isIn(200, 404);
    }

    /** A program in a compute may put another socket in the place of its own. */
    @Test
    void nothingIsSentToWhomeverElseListens() throws IOException {
        Path path = control.data.resolve("run/other.sock");
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));
            long wrong = ProcessHandle.current().pid() + 1;
            int uid = (int) Files.getAttribute(path, "unix:uid");
            for (ComputeAddress.Peer expected : List.of(
                    new ComputeAddress.Peer(uid, wrong),
                    new ComputeAddress.Peer(uid + 1, ProcessHandle.current().pid()))) {
                assertThatThrownBy(() -> admin().open(new ComputeAddress(path, control.data, expected)))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getSQLState()).startsWith("08"));
                other.configureBlocking(false);
                try (var accepted = other.accept()) {
                    accepted.configureBlocking(true);
                    assertThat(accepted.read(java.nio.ByteBuffer.allocate(1))).isEqualTo(-1);
                }
            }
        } finally {
            Files.deleteIfExists(path);
        }
    }
}
