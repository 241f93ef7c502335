package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** Clients that insert numbers one by one into the table {@code done} and record what was acknowledged. */
final class CommitLoad {
    private final AtomicInteger next = new AtomicInteger();
    private final Set<Integer> acknowledged = new ConcurrentSkipListSet<>();
    private final List<Thread> clients = new ArrayList<>();
    private volatile boolean stopped;

    /** The table and what the checks need. */
    static void prepare(String uri) {
        Programs.psql(uri, "create extension amcheck; create table done (id int primary key)")
                .text();
    }

    /** Lets {@code count} clients run until {@link #stop} or until their connection breaks. */
    void start(String uri, int count) {
        stopped = false;
        for (int i = 0; i < count; i++) {
            clients.add(Thread.ofPlatform().start(() -> insert(uri)));
        }
    }

    /** Returns when at least one more commit was acknowledged. */
    void awaitProgress() {
        int before = acknowledged.size();
        await().atMost(Duration.ofMinutes(1)).until(() -> acknowledged.size() > before);
    }

    /** Ends the clients; those whose connection broke have ended already. */
    void stop() throws InterruptedException {
        stopped = true;
        for (Thread client : clients) {
            client.join();
        }
        clients.clear();
    }

    private void insert(String uri) {
        try (Connection connection = DriverManager.getConnection(jdbc(uri));
                Statement statement = connection.createStatement()) {
            while (!stopped) {
                int id = next.incrementAndGet();
                statement.executeUpdate("insert into done values (" + id + ")");
                acknowledged.add(id);
            }
        } catch (SQLException e) {
            // The disaster: what was not acknowledged may be there or not.
            assertThat(e.getSQLState()).as(e.getMessage()).matches("08...|57P0.|null|XX000|58030");
        }
    }

    /** The numbers acknowledged until now. */
    Set<Integer> acknowledged() {
        return Set.copyOf(acknowledged);
    }

    /** Connects until the branch answers, for at most a minute, and checks that it has every acknowledged number. */
    void assertAllPresent(String uri, String when) {
        assertPresent(uri, acknowledged(), when);
        assertThat(acknowledged).isNotEmpty();
    }

    /** As {@link #assertAllPresent}, with the numbers that the branch must have. */
    static void assertPresent(String uri, Set<Integer> expected, String when) {
        String found = await(when)
                .atMost(Duration.ofMinutes(1))
                .until(() -> Programs.psql(uri, "select id from done"), result -> result.exitCode() == 0)
                .text();
        Set<Integer> present = found.lines().map(Integer::valueOf).collect(Collectors.toSet());
        List<Integer> lost =
                expected.stream().filter(id -> !present.contains(id)).sorted().toList();
        assertThat(lost).as("lost in %s, of %d commits", when, expected.size()).isEmpty();
    }

    /** The connection string for pgjdbc. */
    static String jdbc(String uri) {
        return uri.replaceFirst(
                "postgresql://([^:]*):([^@]*)@([^?]*)\\?(.*)", "jdbc:postgresql://$3?user=$1&password=$2&$4");
    }
}
