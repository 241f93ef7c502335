package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * A branch at a time has exactly the transactions committed at or before it. What "at" means is what Postgres itself means
 * by a recovery target time: a transaction's time is the one in its commit record, and history is cut before the first
 * commit record later than the time. Commits are not quite in the order of their times, so a record that lies behind a
 * later one is outside. Postgres's own pg_walinspect says which records there are.
 *
 * <p>{@code -Dcoppice.pitr.points=50} for more points.
 */
class PointInTimeIT {
    private static final int POINTS = Integer.getInteger("coppice.pitr.points", 8);
    private static final int CLIENTS = 4;
    private static final Pattern COMMIT = Pattern.compile("([0-9]+)\\|([0-9-]+ [0-9:.]+)(?: UTC|\\+00)(.*)");
    private static final Pattern SUBTRANSACTIONS = Pattern.compile("subxacts: ([0-9 ]+)");

    /** What a query saw: the transactions that left rows, by their ids, subtransactions too. */
    private static final String TRANSACTIONS =
            "select distinct xmin from ledger union select xmin from pgbench_history";

    private record Commit(Instant time, Set<Long> transactions) {}

    private final Random random = new Random(seed());
    private final AtomicInteger next = new AtomicInteger();
    private volatile boolean stopped;

    private static long seed() {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        System.out.println("PointInTimeIT: -Dcoppice.seed=" + seed);
        return seed;
    }

    @Test
    void a_branch_at_a_time_has_exactly_what_was_committed_by_then() throws Exception {
        try (ServerProcess server = ServerProcess.start(
                "pit",
                "  postgres_settings:",
                "    wal_keep_size: 2GB",
                "    checkpoint_timeout: 30s",
                "    max_wal_size: 64MB",
                "")) {
            String main = server.uri("main");
            Programs.psql(main, "create extension pg_walinspect; create table ledger (n int, part int)")
                    .text();
            Programs.pgbench(main, "-i", "-q", "-s", "2").text();
            String before =
                    Programs.psql(main, "select pg_current_wal_insert_lsn()").text();
            Map<Instant, String> branches = new TreeMap<>();

            List<Thread> load = startLoad(main);
            branchesMeanwhile(server, branches);
            stopped = true;
            for (Thread thread : load) {
                thread.join();
            }

            List<Commit> commits = commits(main, before);
            assertThat(commits.size()).isGreaterThan(POINTS);
            branchesAfterwards(server, commits, branches);
            assertThat(branches).hasSizeGreaterThan(POINTS / 2);
            long outOfOrder = 0;
            for (Map.Entry<Instant, String> branch : branches.entrySet()) {
                outOfOrder += check(server, branch.getKey(), branch.getValue(), commits);
            }
            System.out.printf(
                    "PointInTimeIT: %d points, %d commits, %d behind a later one at a point%n",
                    branches.size(), commits.size(), outOfOrder);
        }
    }

    private List<Thread> startLoad(String uri) {
        List<Thread> load = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            long seed = random.nextLong();
            load.add(Thread.ofPlatform().start(() -> transactions(uri, new Random(seed))));
        }
        load.add(Thread.ofPlatform().start(() -> {
            while (!stopped) {
                Programs.pgbench(uri, "-n", "-c", "2", "-T", "2").text();
            }
        }));
        return load;
    }

    /** Single rows, several rows, subtransactions that stay or go, and transactions that are rolled back. */
    private void transactions(String uri, Random mine) {
        try (Connection connection = DriverManager.getConnection(CommitLoad.jdbc(uri));
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (!stopped) {
                int n = next.incrementAndGet();
                for (int part = mine.nextInt(3); part >= 0; part--) {
                    Savepoint savepoint = mine.nextInt(4) == 0 ? connection.setSavepoint() : null;
                    statement.executeUpdate("insert into ledger values (" + n + ", " + part + ")");
                    if (savepoint != null && mine.nextBoolean()) {
                        connection.rollback(savepoint);
                    }
                }
                if (mine.nextInt(6) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Half of the points are taken while commits go on, a moment after the time that they name. */
    private void branchesMeanwhile(ServerProcess server, Map<Instant, String> branches) throws InterruptedException {
        Thread.sleep(2_000);
        Instant first = Instant.now();
        while (branches.size() < POINTS / 2) {
            Thread.sleep(500 + random.nextInt(500));
            long span = ChronoUnit.MICROS.between(first, Instant.now().minusMillis(400));
            create(server, first.plus(random.nextLong(Math.max(1, span)), ChronoUnit.MICROS), branches);
        }
        Thread.sleep(1_000);
    }

    /** The other half exactly at commits, a microsecond before them, or anywhere. */
    private void branchesAfterwards(ServerProcess server, List<Commit> commits, Map<Instant, String> branches) {
        while (branches.size() < POINTS) {
            Instant time = commits.get(random.nextInt(commits.size() - 1)).time();
            Instant point = switch (random.nextInt(3)) {
                case 0 -> time;
                case 1 -> time.minus(1, ChronoUnit.MICROS);
                default -> time.plus(random.nextInt(20_000), ChronoUnit.MICROS);
            };
            create(server, point, branches);
        }
    }

    private static void create(ServerProcess server, Instant time, Map<Instant, String> branches) {
        Instant micros = time.truncatedTo(ChronoUnit.MICROS);
        String name = "at-" + branches.size();
        server.cli("branches", "create", "--name", name, "--parent", "main", "--at", micros.toString())
                .text();
        branches.put(micros, name);
    }

    /** Every commit since {@code from}, in the order of the WAL. */
    private static List<Commit> commits(String uri, String from) {
        String records = Programs.psql(uri, """
                        set timezone = 'UTC';
                        select xid, description from pg_get_wal_records_info('%s', pg_current_wal_flush_lsn())
                        where resource_manager = 'Transaction' and record_type like 'COMMIT%%' order by start_lsn""".formatted(from)).text();
        List<Commit> commits = new ArrayList<>();
        for (String line : records.lines().toList()) {
            Matcher commit = COMMIT.matcher(line);
            assertThat(commit.matches()).as(line).isTrue();
            Set<Long> transactions = new TreeSet<>(Set.of(Long.valueOf(commit.group(1))));
            Matcher inner = SUBTRANSACTIONS.matcher(commit.group(3));
            if (inner.find()) {
                for (String id : inner.group(1).strip().split(" ")) {
                    transactions.add(Long.valueOf(id));
                }
            }
            commits.add(new Commit(
                    LocalDateTime.parse(commit.group(2).replace(' ', 'T')).toInstant(ZoneOffset.UTC), transactions));
        }
        return commits;
    }

    /** @return how many commits at or before the time lie behind a later one */
    private static long check(ServerProcess server, Instant time, String name, List<Commit> commits) {
        int cut = 0;
        while (cut < commits.size() && !commits.get(cut).time().isAfter(time)) {
            cut++;
        }
        String uri = server.uri(name);
        Set<Long> found = Programs.psql(uri, TRANSACTIONS)
                .text()
                .lines()
                .map(Long::valueOf)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<Long> all = transactions(commits);
        Set<Long> expected = transactions(commits.subList(0, cut));
        Set<Long> wrong = new TreeSet<>(found);
        wrong.retainAll(all);
        wrong.removeAll(expected);
        assertThat(wrong).as("transactions of after " + time + " on " + name).isEmpty();
        Set<Long> missing = new TreeSet<>(withRows(server, expected));
        missing.removeAll(found);
        assertThat(missing).as("transactions of before " + time + " on " + name).isEmpty();
        server.cli("branches", "delete", name).text();
        return commits.subList(cut, commits.size()).stream()
                .filter(commit -> !commit.time().isAfter(time))
                .count();
    }

    private static Set<Long> transactions(List<Commit> commits) {
        return commits.stream()
                .flatMap(commit -> commit.transactions().stream())
                .collect(Collectors.toSet());
    }

    /** Those of the transactions that left a row in the end: commits of DDL and of rolled back savepoints have none. */
    private static Set<Long> withRows(ServerProcess server, Set<Long> transactions) {
        Set<Long> rows = Programs.psql(server.uri("main"), TRANSACTIONS)
                .text()
                .lines()
                .map(Long::valueOf)
                .collect(Collectors.toSet());
        rows.retainAll(transactions);
        return rows;
    }
}
