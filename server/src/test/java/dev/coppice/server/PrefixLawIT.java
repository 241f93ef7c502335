package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/**
 * The law of prefixes: the disk as it stood at any LSN is a valid crash image. Under pgbench and DDL churn, positions
 * become branches, on and off record boundaries; each must recover, balance, satisfy amcheck and hold every
 * transaction that was committed before it.
 */
class PrefixLawIT {
    private static final int BRANCHES = 20;
    private static final int SECONDS = 20;

    /** A commit that was acknowledged, and a WAL position after it. */
    private record Mark(int id, long lsn) {}

    @Test
    void every_position_is_a_valid_branch() throws Exception {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        System.out.println("PrefixLawIT: -Dcoppice.seed=" + seed);
        Random random = new Random(seed);
        try (ServerProcess server = ServerProcess.start(
                "law", "  postgres_settings:\n    checkpoint_timeout: 30s\n    max_wal_size: 64MB\n")) {
            String main = server.uri("main");
            Programs.psql(main, "create extension amcheck; create table marks (id int)")
                    .text();
            Programs.pgbench(main, "-i", "-q", "-s", "2").text();
            List<Mark> marks = churn(main);
            assertThat(marks.size()).isGreaterThan(BRANCHES);

            List<Mark> picked = new ArrayList<>(marks.subList(0, marks.size() - 1));
            Collections.shuffle(picked, random);
            for (Mark mark : picked.subList(0, BRANCHES)) {
                // Mostly inside of a record, sometimes exactly after the commit.
                long position = mark.lsn() + (random.nextInt(4) == 0 ? 0 : random.nextInt(40_000));
                check(server, position, marks);
            }
        }
    }

    private static void check(ServerProcess server, long position, List<Mark> marks) {
        String lsn = "%X/%X".formatted(position >>> 32, position & 0xFFFF_FFFFL);
        String name = "at-" + Long.toHexString(position);
        server.cli("branches", "create", "--name", name, "--at", lsn).text();
        String uri = server.uri(name);
        String[] sums = Programs.psql(uri, """
                        select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers),
                        (select sum(bbalance) from pgbench_branches), (select coalesce(sum(delta), 0) from pgbench_history)""").text().split("\\|");
        assertThat(sums).as("sums at " + lsn).containsOnly(sums[0]);
        int expected =
                (int) marks.stream().filter(mark -> mark.lsn() <= position).count();
        assertThat(Integer.parseInt(Programs.psql(uri, "select count(*) from marks where id <= " + expected)
                        .text()))
                .as("acknowledged before " + lsn)
                .isEqualTo(expected);
        Amcheck.assertClean(uri);
        assertThat(server.cli("branches", "delete", name).exitCode()).isZero();
    }

    private static List<Mark> churn(String main) throws InterruptedException, IOException {
        AtomicBoolean stop = new AtomicBoolean();
        List<Mark> marks = Collections.synchronizedList(new ArrayList<>());
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        Thread ddl = start(failures, () -> {
            for (int i = 1; !stop.get(); i++) {
                Programs.psql(main, """
                                create table c%1$d as select g, repeat('y', 300) t from generate_series(1, 3000) g;
                                create index on c%1$d (g);
                                begin; truncate c%1$d; insert into c%1$d select g, 'z' from generate_series(1, 500) g; commit;
                                vacuum full pgbench_branches;
                                drop table if exists c%2$d;
                                """.formatted(i, i - 1)).text();
                if (i % 3 == 0) {
                    Programs.psql(main, "checkpoint").text();
                }
            }
        });
        Thread marker = start(failures, () -> {
            for (int id = 1; !stop.get(); id++) {
                String lsn = Programs.psql(
                                main, "insert into marks values (" + id + "); select pg_current_wal_insert_lsn()")
                        .text();
                marks.add(new Mark(id, parse(lsn)));
            }
        });
        Programs.pgbench(main, "-n", "-c", "4", "-j", "2", "-T", String.valueOf(SECONDS))
                .text();
        stop.set(true);
        ddl.join();
        marker.join();
        assertThat(failures).isEmpty();
        return marks;
    }

    private static Thread start(List<Throwable> failures, Runnable work) {
        return Thread.ofVirtual().start(() -> {
            try {
                work.run();
            } catch (RuntimeException | AssertionError e) {
                failures.add(e);
            }
        });
    }

    private static long parse(String lsn) {
        String[] parts = lsn.split("/");
        return (Long.parseLong(parts[0], 16) << 32) | Long.parseLong(parts[1], 16);
    }
}
