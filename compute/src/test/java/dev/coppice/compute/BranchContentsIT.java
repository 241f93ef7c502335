package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.layout.BranchPoint;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a suspend and a branch keep of the things that are not plain tables, and branches at awkward moments. */
class BranchContentsIT {
    private static final int STARTS = 6;

    private static ComputeHarness harness;

    @BeforeAll
    static void open() throws IOException {
        harness = new ComputeHarness();
    }

    @AfterAll
    static void close() throws IOException {
        harness.close();
    }

    private static void wake(String timeline) {
        wake(timeline, 5);
    }

    private static void wake(String timeline, int preparedTransactions) {
        ComputeHarness.await(harness.computes.wake(new ComputeSpec(
                "ep-" + timeline,
                new TimelineId(timeline),
                new ComputeSettings(
                        ComputeSettings.defaults().computeUnits(),
                        Map.of(
                                "max_prepared_transactions",
                                Integer.toString(preparedTransactions),
                                "wal_level",
                                "logical")))));
    }

    /** Whether the first commits share a WAL block with what the start wrote depends on where the last stop ended. */
    @Test
    void a_point_between_the_first_commits_of_a_start_that_wrote_wal_has_the_first_and_not_the_second()
            throws Exception {
        harness.branch("early", "template");
        Lsn between = Lsn.ZERO;
        for (int start = 1; start <= STARTS; start++) {
            // Another value than last time: the start writes it into the WAL.
            wake("early", 5 + start % 2);
            Lsn before = Lsn.parse(harness.query("early", "SELECT pg_current_wal_insert_lsn()"));
            harness.execute("early", "CREATE ROLE one" + start);
            between = Lsn.parse(harness.query("early", "SELECT pg_current_wal_insert_lsn()"));
            harness.execute("early", "CREATE ROLE two" + start);
            assertThat(harness.pages
                            .timeline(new TimelineId("early"))
                            .at(between)
                            .lsn())
                    .isGreaterThan(before);
            harness.suspend("early");
        }
        BranchPoint point = harness.pages.timeline(new TimelineId("early")).at(between);
        harness.pages.createBranch(new TimelineId("between"), point);
        wake("between");

        assertThat(harness.query("between", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^one'"))
                .isEqualTo(Integer.toString(STARTS));
        assertThat(harness.query("between", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^two'"))
                .isEqualTo(Integer.toString(STARTS - 1));
        harness.suspend("between");
    }

    @Test
    void prepared_transactions_survive_suspend_crash_and_branching() throws Exception {
        harness.branch("twophase", "template");
        wake("twophase");
        harness.execute("twophase", "CREATE TABLE t (n int)");
        harness.execute(
                "twophase",
                "BEGIN",
                "INSERT INTO t VALUES (1)",
                "SAVEPOINT s",
                "INSERT INTO t VALUES (2)",
                "PREPARE TRANSACTION 'old'");
        harness.suspend("twophase");
        harness.computes.discardLocal(new TimelineId("twophase"));
        wake("twophase");
        harness.execute("twophase", "BEGIN", "INSERT INTO t VALUES (4)", "PREPARE TRANSACTION 'new'");

        harness.branch("twochild", "twophase");
        harness.execute("twophase", "ROLLBACK PREPARED 'old'", "ROLLBACK PREPARED 'new'");
        wake("twochild");
        assertThat(harness.query("twochild", "SELECT string_agg(gid, ',' ORDER BY gid) FROM pg_prepared_xacts"))
                .isEqualTo("new,old");
        harness.execute("twochild", "COMMIT PREPARED 'old'");
        harness.suspend("twochild");
        wake("twochild");
        harness.execute("twochild", "COMMIT PREPARED 'new'");
        assertThat(harness.query("twochild", "SELECT sum(n) FROM t")).isEqualTo("7");
        assertThat(harness.query("twophase", "SELECT count(*) FROM t")).isEqualTo("0");
        harness.suspend("twochild");
        harness.suspend("twophase");
    }

    @Test
    void unlogged_tables_survive_a_suspend_and_are_empty_but_usable_in_a_branch_of_a_running_parent() throws Exception {
        harness.branch("unlogged", "template");
        wake("unlogged");
        harness.execute(
                "unlogged",
                "CREATE UNLOGGED TABLE u (n int PRIMARY KEY)",
                "INSERT INTO u SELECT generate_series(1, 5000)");
        harness.suspend("unlogged");
        harness.branch("resting", "unlogged");
        harness.computes.discardLocal(new TimelineId("unlogged"));
        wake("unlogged");
        assertThat(harness.query("unlogged", "SELECT count(*) FROM u")).isEqualTo("5000");
        wake("resting");
        assertThat(harness.query("resting", "SELECT count(*) FROM u")).isEqualTo("5000");

        harness.execute("unlogged", "CHECKPOINT");
        harness.branch("live", "unlogged");
        wake("live");
        assertThat(harness.query("live", "SELECT count(*) FROM u")).isEqualTo("0");
        harness.execute("live", "INSERT INTO u VALUES (1)");
        harness.suspend("live");
        wake("live");
        assertThat(harness.query("live", "SELECT count(*) FROM u")).isEqualTo("1");
        assertThat(harness.query("unlogged", "SELECT count(*) FROM u")).isEqualTo("5000");
        harness.suspend("live");
        harness.suspend("resting");
        harness.suspend("unlogged");
    }

    @Test
    void replication_slots_survive_a_suspend_and_stay_behind_when_branching() throws Exception {
        harness.branch("slots", "template");
        wake("slots");
        harness.execute(
                "slots",
                "SELECT pg_create_logical_replication_slot('s', 'pgoutput')",
                "SELECT pg_create_physical_replication_slot('gone')",
                "SELECT pg_drop_replication_slot('gone')",
                "CREATE TABLE t AS SELECT 1 AS n");
        harness.branch("slotless", "slots");
        harness.suspend("slots");
        harness.computes.discardLocal(new TimelineId("slots"));
        wake("slots");
        assertThat(harness.query("slots", "SELECT string_agg(slot_name, ',') FROM pg_replication_slots"))
                .isEqualTo("s");
        wake("slotless");
        assertThat(harness.query("slotless", "SELECT count(*) FROM pg_replication_slots"))
                .isEqualTo("0");
        harness.suspend("slotless");
        harness.suspend("slots");
    }

    @Test
    void dropped_tables_and_databases_leave_nothing_wrong_behind_in_the_warm_files() throws Exception {
        harness.branch("drops", "template");
        wake("drops");
        harness.execute(
                "drops",
                "CREATE TABLE a AS SELECT g, repeat('a', 500) AS f FROM generate_series(1, 20000) g",
                "CREATE TABLE b AS SELECT g, repeat('b', 500) AS f FROM generate_series(1, 20000) g");
        harness.suspend("drops");
        harness.computes.discardLocal(new TimelineId("drops"));
        wake("drops");
        assertThat(harness.query("drops", "SELECT sum(length(f)) FROM a")).isEqualTo("10000000");
        harness.execute(
                "drops", "DROP TABLE a", "CHECKPOINT", "CREATE DATABASE d STRATEGY file_copy", "DROP DATABASE d");
        assertThat(harness.query("drops", "SELECT sum(length(f)) FROM b")).isEqualTo("10000000");
        harness.suspend("drops");
        wake("drops");
        assertThat(harness.query("drops", "SELECT sum(g) FROM b")).isEqualTo("200010000");
        harness.suspend("drops");
    }
}
