package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What people do when data is wrong, or was right once, with the programs they have. */
class RestoreStoriesIT {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int KILLS = Integer.getInteger("coppice.crash.cycles", 4);

    private final Random random = new Random(seed());
    private ServerProcess server;
    private String main;

    private static long seed() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        System.out.println("RestoreStoriesIT: -Dcoppice.seed=" + seed);
        return seed;
    }

    @BeforeEach
    void start() throws IOException {
        server = ServerProcess.start("rst", "time_travel:", "  idle_timeout_seconds: 3", "  computes_per_project: 2");
        main = server.uri("main");
        sql(main, "create table orders (n int primary key, note text); insert into orders values (1, 'first')");
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private static String sql(String uri, String statements) {
        return Programs.psql(uri, statements).text();
    }

    private String orders(String uri) {
        return sql(uri, "select string_agg(n::text, ',' order by n) from orders");
    }

    private static String now(String uri) {
        return sql(uri, "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
    }

    @Test
    void staging_is_reset_from_production_and_its_connection_string_goes_on_working() {
        server.cli("branches", "create", "--name", "staging").text();
        String staging = server.uri("staging");
        sql(staging, "delete from orders; create table experiment (n int)");
        server.cli("roles", "create", "--branch", "staging", "--name", "tester").text();
        String tester = Programs.cli(server.data(), "connection-string", "staging", "--role-name", "tester")
                .text();
        assertThat(sql(tester, "select 1")).isEqualTo("1");
        sql(main, "insert into orders values (2, 'second')");

        assertThat(server.cli("branches", "reset", "staging", "--parent").text())
                .startsWith("Branch staging has the data of main at ");

        assertThat(server.uri("staging")).isEqualTo(staging);
        assertThat(orders(staging)).isEqualTo("1,2");
        assertThat(sql(staging, "select count(*) from pg_class where relname = 'experiment'"))
                .isEqualTo("0");
        // The role was made on staging only, so production's data does not have it.
        assertThat(Programs.psql(tester, "select 1").error()).contains("password authentication failed");
        sql(staging, "insert into orders values (3, 'staging')");
        assertThat(orders(main)).isEqualTo("1,2");
    }

    @Test
    void after_a_bad_delete_the_branch_goes_back_to_the_moment_before_and_nothing_is_lost() throws Exception {
        server.cli("branches", "create", "--name", "dev").text();
        sql(main, "insert into orders select g, 'order' from generate_series(2, 1000) g");
        String before = now(main);
        Thread.sleep(20);
        sql(main, "delete from orders; insert into orders values (5000, 'after the accident')");

        String said = server.cli("branches", "restore", "main", "^self@" + before, "--preserve-under-name", "accident")
                .text();

        assertThat(said).contains("What it was is branch accident.");
        assertThat(server.uri("main")).isEqualTo(main);
        assertThat(sql(main, "select count(*), max(n) from orders")).isEqualTo("1000|1000");
        assertThat(orders(server.uri("accident"))).isEqualTo("5000");
        assertThat(orders(server.uri("dev"))).isEqualTo("1");
        sql(main, "insert into orders select * from (values (5000, 'fetched from accident')) v");
        // What main reads from goes from sight at once and from the disk when main does not need it any more.
        assertThat(server.cli("branches", "delete", "accident").exitCode()).isEqualTo(1);
        server.cli("branches", "delete", "dev", "--hard").text();
        server.cli("branches", "delete", "accident", "--hard").text();
        server.cli("computes", "suspend", "main").text();
        assertThat(sql(main, "select count(*), max(n) from orders")).isEqualTo("1001|5000");
        assertThat(sql(main, "create extension amcheck; select bt_index_check('orders_pkey', true)"))
                .isEmpty();
        assertThat(timelines()).hasSize(3);
    }

    @Test
    void under_load_clients_are_cut_with_57P01_and_find_the_restored_data_when_they_come_back() throws Exception {
        Programs.pgbench(main, "-i", "-q", "-s", "1").text();
        sql(main, "create extension amcheck; create table seen (n int)");
        String before = now(main);
        Thread.sleep(20);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger next = new AtomicInteger();
        Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
        Set<String> states = ConcurrentHashMap.newKeySet();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(Thread.ofPlatform().start(() -> write(next, acknowledged, states, stop)));
        }
        Thread load = Thread.ofPlatform().start(() -> Programs.pgbench(main, "-n", "-c", "3", "-T", "3"));
        await().atMost(PATIENCE).until(() -> acknowledged.size() > 100);
        Set<Integer> undone = Set.copyOf(acknowledged);
        server.cli("branches", "restore", "main", "^self@" + before, "--preserve-under-name", "old")
                .text();
        Set<Integer> sinceThen = ConcurrentHashMap.newKeySet();
        sinceThen.addAll(acknowledged);
        await().atMost(PATIENCE).until(() -> acknowledged.size() > sinceThen.size() + 100);
        stop.set(true);
        for (Thread client : clients) {
            client.join();
        }
        load.join();
        acknowledged.removeAll(sinceThen);
        Set<Integer> present = numbers(sql(main, "select n from seen"));
        assertThat(present).doesNotContainAnyElementsOf(undone).containsAll(acknowledged);
        assertThat(numbers(sql(server.uri("old"), "select n from seen"))).containsAll(undone);
        assertThat(states).contains("57P01").isSubsetOf("57P01", "08006", "08003", "57P03");
        assertThat(sql(main, "select count(*) from pgbench_history")).isEqualTo("0");
        assertThat(sql(main, "select distinct abalance from pgbench_accounts")).isEqualTo("0");
        Amcheck.assertClean(main);
    }

    /** Inserts one number after the other, and connects again whenever it is disconnected. */
    private void write(AtomicInteger next, Set<Integer> acknowledged, Set<String> states, AtomicBoolean stop) {
        while (!stop.get()) {
            try (Connection connection = DriverManager.getConnection(jdbc(main));
                    Statement statement = connection.createStatement()) {
                while (!stop.get()) {
                    int number = next.incrementAndGet();
                    statement.executeUpdate("insert into seen values (" + number + ")");
                    acknowledged.add(number);
                }
            } catch (SQLException e) {
                states.add(String.valueOf(e.getSQLState()));
            }
        }
    }

    private static Set<Integer> numbers(String lines) {
        return lines.lines().map(Integer::valueOf).collect(Collectors.toSet());
    }

    @Test
    void a_server_that_is_killed_in_the_middle_of_a_restore_comes_back_with_the_old_or_the_new_state()
            throws Exception {
        sql(main, "insert into orders values (2, 'second')");
        String before = now(main);
        Thread.sleep(20);
        sql(main, "insert into orders values (3, 'third')");
        Set<String> outcomes = new TreeSet<>();
        long usualMillis = restoreMillis(before);
        for (int cycle = 0; cycle < KILLS; cycle++) {
            server.cli("branches", "create", "--name", "victim").text();
            String victim = server.uri("victim");
            sql(victim, "insert into orders values (100, 'victim')");
            Thread restore = Thread.ofPlatform()
                    .start(() -> server.cli(
                            "branches", "restore", "victim", "main@" + before, "--preserve-under-name", "kept"));
            // Spread over the time that a restore takes, and a little more.
            Thread.sleep((long) (usualMillis * 1.3 * (cycle + random.nextDouble()) / KILLS));
            server.kill();
            restore.join();
            server.restart();
            String found = orders(victim);
            outcomes.add(found);
            boolean moved = found.equals("1,2");
            assertThat(found).isIn("1,2", "1,2,3,100");
            String branches = server.cli("branches", "list").text();
            if (moved) {
                assertThat(branches).contains("kept");
                assertThat(orders(server.uri("kept"))).isEqualTo("1,2,3,100");
                server.cli("branches", "delete", "kept", "--hard").text();
            } else {
                assertThat(branches).doesNotContain("kept");
            }
            assertThat(timelines())
                    .as("in cycle " + cycle + ", outcome " + found)
                    .hasSize(3);
            server.cli("branches", "delete", "victim", "--hard").text();
        }
        System.out.println("RestoreStoriesIT: outcomes of " + KILLS + " kills: " + outcomes);
        assertThat(timelines()).hasSize(2);
        assertThat(orders(main)).isEqualTo("1,2,3");
    }

    /** How long a restore takes on this machine just now, so that a kill comes before, in and after one. */
    private long restoreMillis(String before) {
        server.cli("branches", "create", "--name", "measured").text();
        sql(server.uri("measured"), "insert into orders values (100, 'measured')");
        long start = System.nanoTime();
        server.cli("branches", "restore", "measured", "main@" + before).text();
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        server.cli("branches", "delete", "measured", "--hard").text();
        return millis;
    }

    @Test
    void the_past_is_looked_at_exactly_as_it_was_and_leaves_nothing_behind() throws Exception {
        String lsn = sql(main, "select pg_current_wal_insert_lsn()");
        String time = now(main);
        Thread.sleep(20);
        sql(main, "insert into orders values (2, 'second'); update orders set note = 'changed' where n = 1");
        String past = server.uri("main@" + time);
        // An open transaction keeps the moment, however slow the machine is.
        try (Connection connection = DriverManager.getConnection(jdbc(past));
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("select 1");
            assertThat(sql(past, "select n, note from orders")).isEqualTo("1|first");
            assertThat(sql(server.uri("main@" + lsn), "select n, note from orders"))
                    .isEqualTo("1|first");
            String typed = main.replaceFirst("/coppice\\?.*", "/coppice@main@" + time);
            assertThat(sql(typed, "select n, note from orders")).isEqualTo("1|first");
            assertThat(Programs.psql(past, "delete from orders").error()).contains("read-only transaction");
            assertThat(server.cli("branches", "list").text()).hasLineCount(2);
            assertThat(server.cli("computes", "list").text()).hasLineCount(2);
            assertThat(orders(main)).isEqualTo("1,2");
            assertThat(computes()).isGreaterThanOrEqualTo(2);
        }
        await().atMost(PATIENCE).until(() -> computes() == 1);
        await().atMost(PATIENCE).until(() -> timelines().size() == 2);
        assertThat(sql(past, "select n, note from orders")).isEqualTo("1|first");
    }

    @Test
    void moments_that_are_not_there_or_too_many_are_refused_after_the_password() throws Exception {
        List<String> points = new ArrayList<>();
        for (int i = 2; i < 5; i++) {
            points.add(sql(main, "select pg_current_wal_insert_lsn()"));
            sql(main, "insert into orders values (" + i + ", 'more')");
        }
        assertThat(Programs.psql(server.uri("main@FF/0"), "select 1").error()).contains("FF/0 is outside history");
        assertThat(Programs.psql(server.uri("main@1999-01-01T00:00:00Z"), "select 1")
                        .error())
                .contains("before the beginning of history");
        String wrong = server.uri("main@FF/0").replaceFirst(":[^:@]*@", ":wrong@");
        assertThat(Programs.psql(wrong, "select 1").error()).contains("password authentication failed");
        assertThat(Programs.psql(main.replaceFirst("endpoint", "neon_lsn:nonsense%20endpoint"), "select 1")
                        .error())
                .contains("\"nonsense\" in neon_lsn is not a moment");
        assertThat(computes()).isEqualTo(1);
        try (Connection _ = DriverManager.getConnection(jdbc(server.uri("main@" + points.get(0))));
                Connection _ = DriverManager.getConnection(jdbc(server.uri("main@" + points.get(1))))) {
            assertThat(Programs.psql(server.uri("main@" + points.get(2)), "select 1")
                            .error())
                    .contains("2 computes of past moments");
            server.kill();
            server.restart();
        }
        await().atMost(PATIENCE).until(() -> timelines().size() == 2);
        assertThat(orders(server.uri("main@" + points.get(2)))).isEqualTo("1,2,3");
    }

    private static String jdbc(String uri) {
        return uri.replaceFirst(
                "postgresql://([^:]*):([^@]*)@([^?]*)\\?(.*)", "jdbc:postgresql://$3?user=$1&password=$2&$4");
    }

    private Set<String> timelines() throws IOException {
        try (Stream<Path> directories = Files.list(server.data().resolve("timelines"))) {
            return new TreeSet<>(directories
                    .map(path -> path.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .toList());
        }
    }

    /** The postmasters of this server's computes. */
    private long computes() {
        String socket = "unix_socket_directories=" + server.data().resolve("run");
        return ProcessHandle.allProcesses()
                .filter(process -> commandLine(process).contains(socket)
                        && commandLine(process).contains("cluster_name=ep-"))
                .count();
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }
}
