package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** kill -9 of the compute and of the server under load: what a client was told is committed is there afterwards. */
class CrashIT {
    private static final int CYCLES = Integer.getInteger("coppice.crash.cycles", 10);
    private static final int CLIENTS = 3;

    private final Random random = new Random(seed());
    private final AtomicInteger next = new AtomicInteger();
    private final Set<Integer> acknowledged = new ConcurrentSkipListSet<>();

    private static long seed() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        System.out.println("CrashIT: -Dcoppice.seed=" + seed);
        return seed;
    }

    @Test
    void no_acknowledged_commit_is_lost_when_computes_are_killed() throws Exception {
        try (ServerProcess server = ServerProcess.start("crc")) {
            String main = prepare(server);
            for (int cycle = 0; cycle < CYCLES; cycle++) {
                underLoad(main, () -> killCompute(main));
                verify(server, main, cycle);
            }
            Amcheck.assertClean(main);
        }
    }

    @Test
    void no_acknowledged_commit_is_lost_when_the_server_is_killed() throws Exception {
        try (ServerProcess server = ServerProcess.start("crs")) {
            String main = prepare(server);
            for (int cycle = 0; cycle < CYCLES; cycle++) {
                boolean both = cycle % 2 == 1;
                underLoad(main, () -> {
                    server.kill();
                    if (both) {
                        killCompute(main);
                    }
                });
                server.restart();
                verify(server, main, cycle);
            }
            Amcheck.assertClean(main);
        }
    }

    private static String prepare(ServerProcess server) {
        String main = server.uri("main");
        Programs.psql(main, "create extension amcheck; create table done (id int primary key)")
                .text();
        Programs.pgbench(main, "-i", "-q", "-s", "2").text();
        return main;
    }

    /** Runs clients and pgbench, and after a random time the disaster. */
    private void underLoad(String uri, Runnable disaster) throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(Thread.ofPlatform().start(() -> insert(uri, stop)));
        }
        Thread load = Thread.ofPlatform().start(() -> Programs.pgbench(uri, "-n", "-c", "3", "-T", "20"));
        int before = acknowledged.size();
        await().atMost(Duration.ofMinutes(1)).until(() -> acknowledged.size() > before);
        Thread.sleep(300 + random.nextInt(1_700));
        disaster.run();
        stop.set(true);
        for (Thread client : clients) {
            client.join();
        }
        load.join();
    }

    /** Inserts numbers one by one until the connection breaks; only what was acknowledged is recorded. */
    private void insert(String uri, AtomicBoolean stop) {
        try (Connection connection = DriverManager.getConnection(jdbc(uri));
                Statement statement = connection.createStatement()) {
            while (!stop.get()) {
                int id = next.incrementAndGet();
                statement.executeUpdate("insert into done values (" + id + ")");
                acknowledged.add(id);
            }
        } catch (SQLException e) {
            // The disaster: what was not acknowledged may be there or not.
            assertThat(e.getSQLState()).as(e.getMessage()).matches("08...|57P0.|null|XX000");
        }
    }

    private static String jdbc(String uri) {
        return uri.replaceFirst(
                "postgresql://([^:]*):([^@]*)@([^?]*)\\?(.*)", "jdbc:postgresql://$3?user=$1&password=$2&$4");
    }

    private void verify(ServerProcess server, String uri, int cycle) {
        String found = await("cycle " + cycle)
                .atMost(Duration.ofMinutes(1))
                .until(() -> Programs.psql(uri, "select id from done"), result -> result.exitCode() == 0)
                .text();
        Set<Integer> present = found.lines().map(Integer::valueOf).collect(Collectors.toSet());
        List<Integer> lost =
                acknowledged.stream().filter(id -> !present.contains(id)).toList();
        assertThat(lost)
                .as("lost in cycle " + cycle + " of " + acknowledged.size() + " commits")
                .isEmpty();
        assertThat(acknowledged).isNotEmpty();
        assertThat(server.data()).exists();
    }

    private static void killCompute(String uri) {
        String endpoint = uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
        List<ProcessHandle> postmasters = ProcessHandle.allProcesses()
                .filter(process -> commandLine(process).contains("cluster_name=" + endpoint))
                .toList();
        assertThat(postmasters).as("the running compute of " + endpoint).isNotEmpty();
        postmasters.forEach(ProcessHandle::destroyForcibly);
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return java.nio.file.Files.readString(java.nio.file.Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }
}
