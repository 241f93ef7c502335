package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a new user does, with the programs a user has, against a server in a process of its own. */
class EndToEndIT {
    private static ServerProcess server;
    private static String main;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("e2e");
        main = server.uri("main");
        sql(main, "create table guests (name text); insert into guests values ('alice'), ('bob')");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static String sql(String uri, String statements) {
        return Programs.psql(uri, statements).text();
    }

    private static String branch(String name, String... more) {
        String[] arguments = Stream.concat(Stream.of("branches", "create", "--name", name), Stream.of(more))
                .toArray(String[]::new);
        String printed = server.cli(arguments).text();
        String uri = server.uri(name);
        assertThat(printed).contains(uri);
        return uri;
    }

    @Test
    void a_branch_has_the_parents_data_and_writes_stay_on_their_side() {
        String dev = branch("dev-alice");
        assertThat(sql(dev, "select string_agg(name, ',' order by name) from guests"))
                .isEqualTo("alice,bob");
        sql(dev, "insert into guests values ('on the branch')");
        sql(main, "insert into guests values ('on main')");
        assertThat(sql(dev, "select count(*) from guests where name = 'on main'"))
                .isEqualTo("0");
        assertThat(sql(main, "select count(*) from guests where name = 'on the branch'"))
                .isEqualTo("0");
        sql(main, "delete from guests where name = 'on main'");
    }

    @Test
    void a_branch_of_a_branch_of_a_branch_and_the_middle_one_cannot_be_deleted() {
        String first = branch("g1");
        sql(first, "create table layer (n int); insert into layer values (1)");
        String second = branch("g2", "--parent", "g1");
        sql(second, "insert into layer values (2)");
        String third = branch("g3", "--parent", "g2");
        sql(third, "insert into layer values (3)");
        sql(first, "insert into layer values (10)");
        sql(second, "insert into layer values (20)");
        assertThat(sql(third, "select string_agg(n::text, ',' order by n) from layer"))
                .isEqualTo("1,2,3");
        assertThat(sql(second, "select string_agg(n::text, ',' order by n) from layer"))
                .isEqualTo("1,2,20");
        assertThat(sql(first, "select string_agg(n::text, ',' order by n) from layer"))
                .isEqualTo("1,10");

        Programs.Result refused = server.cli("branches", "delete", "g2");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.error()).containsIgnoringCase("child").contains("g3");
        assertThat(server.cli("branches", "delete", "g3").exitCode()).isZero();
        assertThat(server.cli("branches", "delete", "g2").exitCode()).isZero();
        assertThat(sql(first, "select count(*) from layer")).isEqualTo("2");
    }

    @Test
    void a_branch_can_start_at_a_past_moment_and_at_a_past_position() throws InterruptedException {
        sql(main, "create table log (n int); insert into log values (1)");
        String lsn = sql(main, "select pg_current_wal_insert_lsn()");
        String time =
                sql(main, "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ')");
        Thread.sleep(20);
        sql(main, "insert into log values (2); create role came_later login password 'later'");
        assertThat(sql(branch("at-lsn", "--at", lsn), "select string_agg(n::text, ',') from log"))
                .isEqualTo("1");
        String atTime = branch("at-time", "--at", time);
        assertThat(sql(atTime, "select string_agg(n::text, ',') from log")).isEqualTo("1");
        assertThat(sql(atTime, "select count(*) from pg_roles where rolname = 'came_later'"))
                .isEqualTo("0");
        sql(main, "drop table log; drop role came_later");
    }

    @Test
    void a_moment_outside_the_history_is_refused_with_the_range() {
        Programs.Result future = server.cli("branches", "create", "--name", "x", "--at", "FF/0");
        assertThat(future.exitCode()).isEqualTo(1);
        assertThat(future.error()).contains("FF/0", "branch \"main\"");
        String tomorrow = Instant.now().plus(Duration.ofDays(1)).toString();
        Programs.Result later = server.cli("branches", "create", "--name", "x", "--at", tomorrow);
        assertThat(later.exitCode()).isEqualTo(1);
        assertThat(later.error()).contains("in the future");
        String wrongTime = Instant.EPOCH.toString();
        Programs.Result past = server.cli("branches", "create", "--name", "x", "--at", wrongTime);
        assertThat(past.exitCode()).isEqualTo(1);
        Programs.Result nonsense = server.cli("branches", "create", "--name", "x", "--at", "yesterday");
        assertThat(nonsense.exitCode()).isNotZero();
        assertThat(nonsense.error()).contains("yesterday");
    }

    @Test
    void a_suspended_compute_is_gone_and_comes_back_with_everything() {
        String uri = branch("sleeper");
        sql(
                uri,
                "create table kept as select g from generate_series(1, 5000) g; create unlogged table fast as select 7 as n");
        server.cli("computes", "suspend", "sleeper").text();
        assertThat(processesIn("sleeper")).isEmpty();
        assertThat(sql(uri, "select count(*) from kept")).isEqualTo("5000");
        assertThat(sql(uri, "select n from fast")).isEqualTo("7");
        assertThat(processesIn("sleeper")).isNotEmpty();
        server.cli("computes", "suspend", "sleeper").text();
        server.cli("computes", "wake", "sleeper").text();
        assertThat(processesIn("sleeper")).isNotEmpty();
    }

    /** The postmaster of a branch's compute, if it runs. */
    private static List<Long> processesIn(String branch) {
        String endpoint = server.uri(branch).replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
        return ProcessHandle.allProcesses()
                .filter(process -> commandLine(process).contains("cluster_name=" + endpoint))
                .map(ProcessHandle::pid)
                .toList();
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void copy_large_objects_extensions_and_databases_work() throws IOException {
        String uri = branch("features");
        sql(uri, "create table c (n int, t text)");
        sql(uri, "copy c from stdin;\n1\tone\n2\ttwo\n\\.\n");
        assertThat(sql(uri, "copy (select * from c order by n) to stdout")).isEqualTo("1\tone\n2\ttwo");
        sql(uri, "select lo_from_bytea(424242, 'large')");
        assertThat(sql(uri, "select convert_from(lo_get(424242), 'UTF8')")).isEqualTo("large");
        assertThat(sql(uri, "create extension pgcrypto; create extension amcheck; select length(gen_salt('bf'))"))
                .isEqualTo("29");
        sql(uri, "create temp table t as select generate_series(1, 10000) g; create index on t (g); analyze t");
        sql(uri, "create database made_by_wal");
        sql(uri, "create database made_by_files strategy file_copy");
        sql(uri, "drop database made_by_wal");
        assertThat(sql(uri, "select count(*) from pg_database where datname like 'made_by%'"))
                .isEqualTo("1");
        Programs.Result tablespace = Programs.psql(uri, "create tablespace ts location '/tmp'");
        assertThat(tablespace.exitCode()).isNotZero();
    }

    @Test
    void a_role_made_by_sql_can_log_in_also_to_a_sleeping_branch() {
        String uri = branch("roles");
        sql(uri, "create role clerk login password 'pencil'; grant all on schema public to clerk");
        String clerk = uri.replaceFirst("//[^@]*@", "//clerk:pencil@");
        assertThat(sql(clerk, "select current_user")).isEqualTo("clerk");
        server.cli("computes", "suspend", "roles").text();
        assertThat(sql(clerk, "select current_user")).isEqualTo("clerk");
        sql(uri, "alter role clerk password 'ink'");
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(sql(uri.replaceFirst("//[^@]*@", "//clerk:ink@"), "select 1"))
                        .isEqualTo("1"));
        assertThat(Programs.psql(clerk, "select 1").error()).contains("password authentication failed");
    }

    @Test
    void a_branch_is_reached_by_database_name_by_options_and_by_server_name() {
        String uri = branch("addressed");
        sql(uri, "create table only_here (n int)");
        String atBranch = uri.replaceFirst("/coppice\\?.*", "/coppice@addressed");
        assertThat(sql(atBranch, "select count(*) from only_here")).isEqualTo("0");
        // libpq sends no server name for an address, so the host is a name and the address is given apart.
        String port = uri.replaceAll(".*:(\\d+)/.*", "$1");
        String password = uri.replaceAll(".*//[^:]*:([^@]*)@.*", "$1");
        String byName = "host=addressed.localhost hostaddr=127.0.0.1 port=" + port
                + " dbname=coppice user=coppice_owner sslmode=require password=" + password;
        assertThat(sql(byName, "select count(*) from only_here")).isEqualTo("0");
        String endpoint = uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
        assertThat(sql(
                        byName.replace("addressed.localhost", endpoint + ".localhost"),
                        "select count(*) from only_here"))
                .isEqualTo("0");
        Programs.Result contradiction = Programs.psql(uri.replace("/coppice?", "/coppice@main?"), "select 1");
        assertThat(contradiction.exitCode()).isNotZero();
        assertThat(contradiction.error()).contains("two names do not belong together");
    }

    @Test
    void a_script_that_makes_its_database_and_connects_to_it_stays_on_its_branch() {
        String uri = branch("music");
        String script = """
                drop database if exists shop;
                create database shop;
                \\c shop
                create table album (id int primary key, title text not null);
                insert into album select g, 'album ' || g from generate_series(1, 347) g;
                """;
        assertThat(Programs.psql(uri, script).exitCode()).isZero();
        String shop = uri.replaceFirst("/coppice\\?", "/shop?");
        assertThat(sql(shop, "select count(*), sum(id) from album")).isEqualTo("347|60378");
        String child = branch("music-child", "--parent", "music").replaceFirst("/coppice\\?", "/shop?");
        assertThat(sql(child, "select count(*), sum(id) from album")).isEqualTo("347|60378");
        assertThat(sql(main, "select count(*) from pg_database where datname = 'shop'"))
                .isEqualTo("0");
    }

    @Test
    void sighup_reads_the_configuration_again_and_a_wrong_one_changes_nothing() throws Exception {
        String allowed = "proxy:\n  allowed_addresses: [127.0.0.1]\n";
        String closed = "proxy:\n  allowed_addresses: [192.0.2.1]\n";
        server.reconfigure(text -> text.replace("proxy:\n", closed));
        Awaitility.await()
                .untilAsserted(() -> assertThat(Programs.psql(main, "select 1").error())
                        .contains("connections from 127.0.0.1 are not allowed"));
        server.reconfigure(text -> text.replace(closed, "proxy:\n  allowed_addresses: [nonsense]\n"));
        Awaitility.await()
                .untilAsserted(() -> assertThat(server.log())
                        .contains("The configuration stays as it was")
                        .contains("\"nonsense\" is not an address"));
        assertThat(Programs.psql(main, "select 1").error()).contains("are not allowed");
        server.reconfigure(text -> text.replace("proxy:\n  allowed_addresses: [nonsense]\n", allowed)
                + "\ncatalog:\n  shared_buffers_megabytes: 17\n");
        Awaitility.await()
                .untilAsserted(
                        () -> assertThat(Programs.psql(main, "select 1").text()).contains("1"));
        assertThat(server.log()).contains("Changes of catalog need a restart");
    }

    @Test
    void whoever_does_not_prove_a_password_wakes_nothing() {
        String uri = branch("quiet");
        server.cli("computes", "suspend", "quiet").text();
        for (String wrong : List.of(
                uri.replaceFirst("//([^:]*):[^@]*@", "//$1:wrong@"),
                uri.replaceFirst("//[^:]*:", "//nobody:"),
                uri.replaceFirst("endpoint%3Dep-[a-z0-9-]+", "endpoint%3Dep-no-such-12345678"))) {
            Programs.Result refused = Programs.psql(wrong, "select 1");
            assertThat(refused.exitCode()).isEqualTo(2);
            assertThat(refused.error()).contains("password authentication failed");
        }
        assertThat(processesIn("quiet")).isEmpty();
        Programs.Result noDatabase = Programs.psql(uri.replace("/coppice?", "/nowhere?"), "select 1");
        assertThat(noDatabase.error()).contains("database \"nowhere\" does not exist");
    }
}
