package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A masked role through the whole server: it reads masked values by any route, and neither originals nor a way to write by any. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MaskedRoleIT {
    private static final String ROLE = "analyst";
    private static final String SECRET = "canary7@example.com";
    private static final String READ = "select mail from customer where id = 7";
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private static ServerProcess server;
    private static String owner;
    private static String main;
    private static String password;
    private static Instant beforeDeclared;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("mkr");
        owner = server.uri("main");
        sql(owner, """
                create table customer (id int primary key, mail text unique, name text, city text);
                create table note (id int primary key, customer text references customer (mail), body text);
                create materialized view cities as select city, count(*) from customer group by city;
                insert into customer select g, 'canary' || g || '@example.com', 'Canary ' || g, 'city ' || g % 5
                    from generate_series(1, 200) g;
                insert into note select g, 'canary' || g || '@example.com', 'canary ' || g from generate_series(1, 200) g;
                create function first_mail() returns text security definer language sql
                    as 'select mail from customer order by id limit 1';
                create procedure harm() security definer language sql as 'delete from note';
                create function promote() returns boolean security definer language sql as 'select pg_promote()';
                analyze""");
        password = JsonMapper.shared()
                .readTree(server.cli("roles", "create", "--name", ROLE, "-o", "json")
                        .text())
                .path("password")
                .asString();
        main = as(owner);
        // Rights that would be dangerous in a view that can be written.
        sql(
                owner,
                "grant pg_read_all_data, pg_write_all_data to analyst; grant pg_execute_server_program, pg_read_server_files,"
                        + " pg_write_server_files to analyst;"
                        + " grant execute on function pg_promote to analyst; grant all on all tables in schema public to analyst");
        server.cli("branches", "create", "--name", "before").text();
        server.cli("snapshots", "create", "main", "--name", "early").text();
        assertThat(sql(main, READ)).isEqualTo(SECRET);
        rules("mail: pseudonym_email()", "name: dummy_first_name()");
        beforeDeclared = Instant.parse(sql(
                owner, "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"));
        sql(owner, "create table later (id int)");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    /** The string for the masked role of another role's. */
    private static String as(String uri) {
        return uri.replaceFirst("//[^@]*@", "//" + ROLE + ":" + password + "@");
    }

    private static String sql(String uri, String statements) {
        return Programs.psql(uri, statements).text();
    }

    private static String refusal(String uri, String statements) {
        Programs.Result result = Programs.psql(uri, "\\set VERBOSITY verbose\n" + statements);
        assertThat(result.exitCode()).as(result.output()).isNotZero();
        assertThat(result.output() + result.error()).doesNotContainIgnoringCase("canary");
        return result.error();
    }

    private static void rules(String... columns) throws IOException {
        server.cli(
                        "masking",
                        "apply",
                        "--rules",
                        Files.writeString(
                                        server.directory().resolve("rules.yaml"),
                                        "rule_sets:\n  analysts:\n    databases:\n      coppice:\n        customer:\n          "
                                                + String.join("\n          ", columns)
                                                + "\n        note:\n          body: blank()\n")
                                .toString())
                .text();
    }

    private static void declare(String branch, String lag) {
        server.cli("masking", "role", ROLE, "--branch", branch, "--rules", "analysts", "--max-lag", lag)
                .text();
    }

    private static String endpoint(String uri) {
        return uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
    }

    private static String port() {
        return owner.replaceAll(".*:(\\d+)/.*", "$1");
    }

    private static void assertMasked(String uri) {
        assertThat(sql(uri, "select count(*) from customer")).isEqualTo("200");
        assertThat(sql(uri, "select count(*) from customer c where c::text ilike '%canary%'"))
                .isEqualTo("0");
    }

    @Test
    @Order(1)
    void it_reads_masked_values_while_the_owner_reads_originals_and_its_old_sessions_have_ended() throws Exception {
        try (Connection before = jdbc(ROLE, password, "coppice");
                Statement statement = before.createStatement()) {
            assertThat(value(statement, READ)).isEqualTo(SECRET);
            Future<Programs.Result> hanging;
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                hanging = threads.submit(() -> Programs.psql(pooled(main), "select pg_sleep(60)"));
                await().atMost(PATIENCE)
                        .until(() -> sql(
                                        owner,
                                        "select count(*) from pg_stat_activity where usename = 'analyst'"
                                                + " and query like '%pg_sleep%'")
                                .equals("1"));
                declare("main", "1h");
                assertThat(hanging.get().exitCode()).isNotZero();
            }
            assertThatThrownBy(() -> value(statement, READ)).isInstanceOf(SQLException.class);
        }
        assertThat(sql(owner, "select count(*) from pg_stat_activity where usename = 'analyst'"))
                .isEqualTo("0");
        assertMasked(main);
        String masked = sql(main, READ);
        assertThat(masked).endsWith(".com").isNotEqualTo(SECRET);
        // By any SQL: joins, grouping, functions that run as their owner, the planner's statistics.
        assertThat(sql(main, "select count(*) from note join customer on customer = mail"))
                .isEqualTo("200");
        assertThat(sql(main, "select first_mail()")).doesNotContain("canary");
        assertThat(sql(main, "select count(*) from customer where mail like 'canary%'"))
                .isEqualTo("0");
        assertThat(
                        sql(
                                main,
                                "select count(*) from pg_stats where most_common_vals::text || histogram_bounds::text ilike '%canary%'"))
                .isEqualTo("0");
        assertThat(sql(main, "set enable_seqscan = off; explain select * from customer where mail = '" + masked + "'"))
                .contains("customer_mail_key");
        try (Connection connection = jdbc(ROLE, password, "coppice");
                Statement statement = connection.createStatement()) {
            assertThat(value(statement, READ)).isEqualTo(masked);
            // The driver's time-out sends a cancel request.
            statement.setQueryTimeout(1);
            assertThatThrownBy(() -> value(statement, "select pg_sleep(300)"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57014"));
        }
        assertThat(sql(owner, READ)).isEqualTo(SECRET);
    }

    @Test
    @Order(2)
    void nothing_that_it_says_writes() {
        for (String statement : List.of(
                "insert into customer values (999, 'x', 'x', 'x')",
                "update customer set mail = 'x'",
                "delete from note",
                "set default_transaction_read_only = off; set transaction_read_only = off; delete from note",
                "begin read write; delete from note; commit",
                "create temp table t (id int)",
                "create table t (id int)",
                "call harm()",
                "do $$ begin delete from note; end $$",
                "select * from customer for update",
                "refresh materialized view cities",
                "listen x",
                "select set_config('transaction_read_only', 'off', false); truncate note")) {
            String error = refusal(main, statement);
            assertThat(error).as(statement).containsAnyOf("25006", "25001", "0A000", "22023");
        }
        for (String statement : List.of(
                "select pg_promote()",
                "select promote()",
                "copy (select 1) to program 'cat > promote'",
                "copy (select 1) to '/tmp/coppice-masked-role'",
                "create role boss superuser",
                "alter role analyst superuser",
                "alter system set work_mem = '8MB'")) {
            assertThat(refusal(main, statement)).as(statement).containsAnyOf("42501", "25006");
        }
        assertThat(refusal(main, "select pg_read_file('/etc/passwd')")).contains("42501");
        assertThat(sql(main, "select pg_is_in_recovery()")).isEqualTo("t");
        assertThat(sql(owner, "select count(*) from note")).isEqualTo("200");
    }

    @Test
    @Order(3)
    void no_other_route_shows_an_original() throws Exception {
        String endpoint = endpoint(main);
        String host = "127.0.0.1";
        String user = "postgresql://" + ROLE + ":" + password + "@" + host + ":" + port() + "/";
        // Branch behind the database, default branch, pooled, over TLS, endpoint before the password.
        assertMasked(user + "coppice@main?sslmode=disable");
        assertMasked(user + "coppice?sslmode=disable");
        assertMasked(pooled(main));
        assertMasked(user + "coppice?sslmode=require&options=endpoint%3D" + endpoint);
        assertMasked("postgresql://" + ROLE + ":" + password + "@" + endpoint + ".localtest.me:" + port()
                + "/coppice?sslmode=require&hostaddr=" + host);
        assertThat(http(endpoint, password)).contains("mail").doesNotContain("canary");
        // Another database of the branch; the children, made before and after.
        assertThat(sql(
                        user + "postgres@main?sslmode=disable",
                        "select count(*) from pg_class where relname = 'customer'"))
                .isEqualTo("0");
        server.cli("branches", "create", "--name", "after").text();
        server.cli("branches", "create", "--name", "then", "--parent", "main", "--at", beforeDeclared.toString())
                .text();
        assertThat(sql(server.uri("then"), "select rolcanlogin from pg_roles where rolname = 'analyst'"))
                .isEqualTo("f");
        for (String child : List.of("before", "after", "then")) {
            assertMasked(as(server.uri(child)));
            assertThat(sql(server.uri(child), READ)).isEqualTo(SECRET);
        }
        // The past, from before anybody was masked.
        String moment = beforeDeclared.toString();
        assertThat(sql(
                        owner.replaceFirst("/coppice\\?", "/coppice@main@" + moment + "?")
                                .replaceAll("options=[^&]*&?", ""),
                        READ))
                .isEqualTo(SECRET);
        assertThat(refusal(user + "coppice@main@" + moment + "?sslmode=disable", READ))
                .contains("masked");
        assertThat(refusal(user + "coppice@" + moment + "?sslmode=disable", READ))
                .contains("masked");
        assertThat(refusal(main + "%20neon_timestamp%3A" + moment.replace(":", "%3A"), READ))
                .contains("masked");
        // Replication, physical and logical.
        for (String kind : List.of("true", "database")) {
            Programs.Result result = Programs.run(
                    List.of("psql", "-X", "-A", "-t", main + "&replication=" + kind, "-c", "IDENTIFY_SYSTEM"), "");
            assertThat(result.exitCode()).as(result.output()).isNotZero();
        }
        // The branch's own Postgres would not have it either.
        assertThat(sql(owner, "select rolcanlogin from pg_roles where rolname = 'analyst'"))
                .isEqualTo("f");
        // The endpoint before the password, which counts when nothing else says where to go.
        String other = JsonMapper.shared()
                .readTree(server.cli("projects", "create", "--name", "other", "-o", "json")
                        .text())
                .at("/project/id")
                .asString();
        assertMasked("postgresql://" + ROLE + ":endpoint%3D" + endpoint + ";" + password + "@" + host + ":" + port()
                + "/coppice?sslmode=require");
        server.cli("projects", "delete", other).text();
        // A wrong password is one, masked or not.
        assertThat(refusal(main.replace(password, "wrong"), READ)).contains("password authentication failed");
    }

    @Test
    @Order(4)
    void after_the_lag_a_new_login_sees_what_changed_and_other_rules_count_at_once() throws Exception {
        String pooled = pooled(main);
        declare("main", "1s");
        assertMasked(main);
        sql(owner, "update customer set city = 'moved', name = 'Canary seven' where id = 7");
        await().atMost(PATIENCE)
                .until(() -> sql(main, "select city from customer where id = 7").equals("moved"));
        await().atMost(PATIENCE)
                .until(() ->
                        sql(pooled, "select city from customer where id = 7").equals("moved"));
        assertMasked(main);
        sql(owner, "update customer set city = 'city 2' where id = 7");

        declare("main", "1h");
        assertThat(sql(main, "select city from customer where id = 7")).isEqualTo("city 2");
        sql(owner, "update customer set city = 'unseen' where id = 7");
        assertThat(sql(main, "select city from customer where id = 7")).isEqualTo("city 2");
        assertThat(shown("main").path("view_state").asString()).isEqualTo("open");
        rules("mail: pseudonym_email()", "name: dummy_first_name()", "city: value('hidden')");
        assertThat(sql(main, "select distinct city from customer")).isEqualTo("hidden");
        assertThat(sql(pooled, "select distinct city from customer")).isEqualTo("hidden");
        // A password that was changed by SQL counts at once, too.
        sql(owner, "alter role analyst password 'another'");
        assertThat(refusal(main, READ)).contains("password authentication failed");
        assertMasked(main.replace(password, "another"));
        sql(owner, "alter role analyst password '" + password + "'");
        assertMasked(main);
    }

    @Test
    @Order(5)
    void without_rules_that_can_be_applied_nobody_gets_in() throws Exception {
        rules("mail: pseudonym_email()", "no_such_column: blank()");
        assertThat(refusal(main, READ)).contains("no_such_column");
        assertThat(stateOfLogin()).isEqualTo("55000");
        assertThat(refusal(pooled(main), READ)).contains("no_such_column");
        assertThat(http(endpoint(main), password)).contains("55000").doesNotContain("canary");
        // Not every column is declared safe; and without the set there are no rules.
        Files.writeString(
                server.directory().resolve("strict.yaml"),
                "rule_sets:\n  analysts:\n    unlisted: refuse\n    databases:\n      coppice:\n        customer:\n          mail: blank()\n");
        server.cli(
                        "masking",
                        "apply",
                        "--rules",
                        server.directory().resolve("strict.yaml").toString())
                .text();
        assertThat(stateOfLogin()).isEqualTo("55000");
        server.cli("masking", "delete", "analysts").text();
        assertThat(refusal(main, READ)).contains("analysts");
        rules("mail: pseudonym_email()", "name: dummy_first_name()");
        assertMasked(main);
    }

    @Test
    @Order(6)
    void a_restart_a_reset_and_a_deletion_leave_it_masked() throws Exception {
        server.stop();
        server.restart();
        owner = server.uri("main");
        main = as(owner);
        assertMasked(main);
        server.kill();
        server.restart();
        owner = server.uri("main");
        main = as(owner);
        assertMasked(main);
        assertThat(sql(owner, READ)).isEqualTo(SECRET);

        // A child that is reset to a state from before the declaration, in which the role could log in.
        server.cli("branches", "restore", "after", "main@" + beforeDeclared).text();
        assertMasked(as(server.uri("after")));
        assertThat(sql(server.uri("after"), "select rolcanlogin from pg_roles where rolname = 'analyst'"))
                .isEqualTo("f");
        // A branch that is restored in place preserves its former state, and that is masked, too.
        server.cli("branches", "restore", "main", "^self@" + beforeDeclared, "--preserve-under-name", "main-old")
                .text();
        assertMasked(main);
        assertMasked(as(server.uri("main-old")));
        server.cli("branches", "delete", "after", "--hard").text();
        // A snapshot from before the declaration, as a branch of its own and in the place of main.
        server.cli("snapshots", "restore", "early", "--name", "look").text();
        assertMasked(as(server.uri("look")));
        server.cli("snapshots", "finalize", "look").text();
        assertMasked(main);
        assertThat(sql(owner, READ)).isEqualTo(SECRET);
        StorageChecks.assertClean(server, "views came and went");
        assertThat(server.cli("branches", "list").text()).doesNotContain("masked");
    }

    @Test
    @Order(7)
    void a_role_that_is_no_longer_masked_sees_the_branch_again() {
        assertThat(server.cli("masking", "role", ROLE, "--branch", "before", "--off")
                        .exitCode())
                .isNotZero();
        assertThat(server.cli("masking", "role", "coppice_owner", "--branch", "main")
                        .exitCode())
                .isNotZero();
        server.cli("masking", "role", ROLE, "--branch", "main", "--off").text();
        assertThat(sql(main, READ)).isEqualTo(SECRET);
        assertThat(server.cli("masking", "role", ROLE, "--branch", "main", "--off")
                        .exitCode())
                .isNotZero();
    }

    private static JsonNode shown(String branch) {
        return JsonMapper.shared()
                .readTree(server.cli("masking", "show", "--branch", branch, "-o", "json")
                        .text())
                .at("/masked_roles/0");
    }

    private static String stateOfLogin() {
        try (Connection _ = jdbc(ROLE, password, "coppice")) {
            return "let in";
        } catch (SQLException e) {
            return e.getSQLState();
        }
    }

    private static String pooled(String uri) {
        return uri.replaceAll("endpoint%3D(ep-[a-z0-9-]+)", "endpoint%3D$1-pooler");
    }

    private static Connection jdbc(String role, String secret, String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + port() + "/" + database + "?sslmode=disable&options=endpoint%3D"
                        + endpoint(owner),
                role,
                secret);
    }

    private static String value(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static String http(String endpoint, String secret) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + "/sql"))
                                    .header(
                                            "Neon-Connection-String",
                                            "postgresql://" + ROLE + ":" + secret + "@" + endpoint
                                                    + ".localtest.me/coppice")
                                    .POST(HttpRequest.BodyPublishers.ofString(
                                            "{\"query\":\"" + READ + "\",\"params\":[]}"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }
}
