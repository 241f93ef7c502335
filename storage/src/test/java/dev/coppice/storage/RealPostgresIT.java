package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.wal.WalFormat;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Real WAL of a real Postgres. Nothing journals its pages here, so a timeline is the image it began with and the WAL since:
 * what a second server shows, recovery alone has brought back.
 */
class RealPostgresIT {
    private static final int SEGMENT_SIZE = 16 << 20;
    private static final TimelineId TEMPLATE = new TimelineId("template");
    private static final TimelineId MAIN = new TimelineId("main");

    private static TestDirectory clusterDirectory;
    private static Path cluster;

    private TestDirectory directory;
    private PageService service;
    private Timeline main;

    @BeforeAll
    static void make_a_cluster() throws Exception {
        clusterDirectory = new TestDirectory();
        cluster = clusterDirectory.path().resolve("cluster");
        RealPostgres.initdb(cluster);
    }

    @AfterAll
    static void remove_the_cluster() {
        clusterDirectory.close();
    }

    @BeforeEach
    void import_the_cluster() {
        directory = new TestDirectory();
        service = PageService.open(directory.path().resolve("timelines"));
        service.createRoot(TEMPLATE).importDirectory(cluster);
        main = service.createBranch(MAIN, service.timeline(TEMPLATE).head());
    }

    @AfterEach
    void clean_up() {
        service.close();
        directory.close();
    }

    @Test
    void an_imported_cluster_starts_from_a_branch_and_the_end_of_its_wal_is_where_postgres_says() throws Exception {
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("create table t (i int, filler text)");
            for (int i = 0; i < 20; i++) {
                server.execute("insert into t select g, repeat('x', 300) from generate_series(1, 2000) g");
                if (i % 7 == 3) {
                    server.execute("select pg_switch_wal()");
                }
                assertEndOfWal(server, main);
            }
            server.execute("checkpoint");
            assertEndOfWal(server, main);
            Lsn live = main.head().lsn();
            server.stop();
            assertThat(main.endOfWal()).isGreaterThan(live);
            main.endEpoch();
            reopen();
            assertThat(main.endOfWal()).isEqualTo(main.head().lsn());
        }
    }

    private static void assertEndOfWal(RealPostgres server, Timeline timeline) throws Exception {
        // Others write WAL at any moment: the end lies between what was flushed before and inserted after.
        Lsn before = Lsn.parse(server.query("select pg_current_wal_flush_lsn()"));
        Lsn end = timeline.endOfWal();
        Lsn after = Lsn.parse(server.query("select pg_current_wal_insert_lsn()"));
        assertThat(end).isGreaterThanOrEqualTo(before).isLessThanOrEqualTo(after);
    }

    @Test
    void after_a_crash_everything_committed_is_there_again() throws Exception {
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("create table t as select g i from generate_series(1, 10000) g");
            server.crash();
        }
        main.endEpoch();
        for (int crash = 1; crash <= 3; crash++) {
            try (RealPostgres server = Materialized.start(main)) {
                assertThat(server.query("select count(*) from t")).isEqualTo("" + 10000 * crash);
                server.execute("insert into t select g from generate_series(1, 10000) g");
                server.crash();
            }
        }
    }

    @Test
    void a_crash_right_after_a_start_loses_no_commit() throws Exception {
        Path data = Materialized.of(main);
        try (RealPostgres server = RealPostgres.start(data)) {
            server.execute("create table t as select 7 i");
            main.endOfWal();
            server.crash();
        }
        // The entry that declares the server running is the last thing that happens before the end.
        Journaling.to(main).put("global/pg_control", Files.readAllBytes(data.resolve("global/pg_control")));
        main.endEpoch();
        try (RealPostgres server = Materialized.start(main)) {
            assertThat(server.query("select i from t")).isEqualTo("7");
        }
    }

    @Test
    void random_points_of_a_busy_timeline_recover_with_consistent_sums() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        try (RealPostgres server = Materialized.start(main, "checkpoint_timeout=1h")) {
            server.execute(
                    "create table a (i int primary key, v int)",
                    "create table b (v int)",
                    "insert into a select g, 0 from generate_series(1, 500) g");
            Lsn begin = main.head().lsn();
            List<Thread> writers = new ArrayList<>();
            for (int w = 0; w < 3; w++) {
                Random own = new Random(random.nextLong());
                writers.add(Thread.ofVirtual().start(() -> transfer(server, own)));
            }
            for (Thread writer : writers) {
                writer.join();
            }
            Lsn end = main.head().lsn();
            for (int n = 0; n < 6; n++) {
                Lsn wanted = new Lsn(begin.value() + random.nextLong(end.value() - begin.value()));
                BranchPoint point = main.at(wanted);
                assertThat(point.lsn()).as("seed %d", seed).isLessThanOrEqualTo(wanted);
                Timeline branch = service.createBranch(new TimelineId("b" + n), point);
                try (RealPostgres recovered = Materialized.start(branch)) {
                    if (recovered
                            .query("select count(*) from pg_class where relname in ('a', 'b')")
                            .equals("2")) {
                        assertThat(recovered.query("select coalesce(sum(v), 0) from a"))
                                .as("seed %d, point %s", seed, point)
                                .isEqualTo(recovered.query("select coalesce(sum(v), 0) from b"));
                    }
                    recovered.stop();
                }
            }
        }
    }

    private static void transfer(RealPostgres server, Random random) {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < 300; i++) {
                int delta = random.nextInt(1000) - 500;
                statement.execute("update a set v = v + " + delta + " where i = " + (1 + random.nextInt(500)));
                statement.execute("insert into b values (" + delta + ")");
                connection.commit();
            }
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_time_leads_to_the_commit_before_it() throws Exception {
        try (RealPostgres server = Materialized.start(main, "track_commit_timestamp=on")) {
            server.execute("create table t (i int)");
            List<Instant> times = new ArrayList<>();
            List<Lsn> ends = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                commitOne(server, i, times, ends);
                Thread.sleep(3);
            }
            for (int i = 0; i < 11; i++) {
                assertThat(main.at(times.get(i)).lsn())
                        .isEqualTo(main.at(times.get(i).plusNanos(1000)).lsn());
                BranchPoint point = main.at(times.get(i));
                assertThat(point.timeline()).isEqualTo(MAIN);
                assertThat(point.lsn()).isEqualTo(ends.get(i));
                assertThat(main.at(times.get(i).minusNanos(1000)).lsn()).isLessThan(point.lsn());
            }
            assertThat(main.at(times.get(11).plusSeconds(60))).isEqualTo(main.head());
            assertThat(main.at(times.getFirst().minusSeconds(0)).lsn()).isEqualTo(ends.getFirst());
            assertThatThrownBy(() -> main.at(times.getFirst().minusSeconds(3600)))
                    .isInstanceOf(OutsideHistoryException.class)
                    .hasMessageContaining(service.timeline(TEMPLATE).createdAt().toString());
            Timeline branch = service.createBranch(new TimelineId("past"), main.at(times.get(4)));
            try (RealPostgres recovered = Materialized.start(branch)) {
                assertThat(recovered.query("select max(i) from t")).isEqualTo("4");
                assertThat(branch.at(times.get(2))).isEqualTo(main.at(times.get(2)));
                recovered.execute("insert into t values (100)");
                recovered.stop();
            }
            branch.endEpoch();
            Timeline deeper = service.createBranch(new TimelineId("deeper"), branch.head());
            try (RealPostgres recovered = Materialized.start(deeper)) {
                assertThat(recovered.query("select max(i) from t")).isEqualTo("100");
                recovered.stop();
            }
        }
    }

    private static void commitOne(RealPostgres server, int i, List<Instant> times, List<Lsn> ends) throws Exception {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("set synchronous_commit = on");
            connection.setAutoCommit(false);
            statement.execute("insert into t values (" + i + ")");
            connection.commit();
            try (ResultSet row = statement.executeQuery(
                    "select pg_current_wal_insert_lsn(), timestamp from pg_last_committed_xact()")) {
                row.next();
                ends.add(Lsn.parse(row.getString(1)));
                times.add(row.getObject(2, OffsetDateTime.class).toInstant());
            }
            connection.commit();
        }
    }

    @Test
    void a_branch_at_the_head_is_frozen_whatever_the_parent_writes_afterwards() throws Exception {
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("create table t (i int)");
            Journaling parent = Journaling.to(main);
            Lsn end = main.endOfWal();
            parent.mark = end.value() + 8000;
            parent.page("base/5/99999", 0, bytes(1));
            BranchPoint point = main.head();
            Timeline branch = service.createBranch(new TimelineId("frozen"), point);
            parent.mark = point.lsn().value();
            parent.page("base/5/99999", 0, bytes(2));
            parent.page("base/5/99999", 1, bytes(2));
            parent.mark = point.lsn().value() + 4000;
            parent.page("base/5/99999", 0, bytes(3));
            assertThat(main.readFile("base/5/99999").orElseThrow())
                    .startsWith(bytes(3))
                    .hasSize(2 * 8192);
            assertThat(branch.readFile("base/5/99999").orElseThrow()).isEqualTo(bytes(1));
            reopen();
            assertThat(service.timeline(branch.id()).readFile("base/5/99999").orElseThrow())
                    .isEqualTo(bytes(1));
            server.execute("insert into t values (1)");
            Timeline later = service.createBranch(new TimelineId("later"), main.head());
            assertThat(later.readFile("base/5/99999").orElseThrow()).startsWith(bytes(3));
        }
    }

    @Test
    void stamps_beyond_the_end_of_wal_are_lowered_to_it_after_a_crash() throws Exception {
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("create table t as select 1 i");
            server.crash();
        }
        Journaling crashed = Journaling.to(main);
        crashed.mark += 5 << 20;
        crashed.page("base/5/99999", 0, bytes(1));
        main.endEpoch();
        BranchPoint afterCrash = main.head();
        Timeline branch = service.createBranch(new TimelineId("after-crash"), afterCrash);
        assertThat(branch.readFile("base/5/99999").orElseThrow()).isEqualTo(bytes(1));
        reopen();
        assertThat(main.readFile("base/5/99999", afterCrash.lsn()).orElseThrow())
                .isEqualTo(bytes(1));
        // Had it kept its stamp, what comes now would be hidden behind it or shown before its time.
        try (RealPostgres server = Materialized.start(main)) {
            assertThat(server.query("select count(*) from t")).isEqualTo("1");
            Journaling recovered = Journaling.to(main);
            recovered.page("base/5/99999", 0, bytes(2));
            assertThat(service.timeline(branch.id()).readFile("base/5/99999").orElseThrow())
                    .isEqualTo(bytes(1));
        }
    }

    @Test
    void a_start_that_dies_before_it_declares_itself_running_leaves_nothing_behind() throws Exception {
        Lsn begin = main.endOfWal();
        // Nobody journals the control file here: to the page service the start has not come so far.
        try (RealPostgres server = RealPostgres.start(Materialized.of(main))) {
            server.execute("create table lost (i int)");
            assertThat(main.endOfWal()).isGreaterThan(begin);
            assertThat(main.head().lsn()).isEqualTo(begin);
            server.crash();
        }
        main.endEpoch();
        assertThat(main.endOfWal()).isEqualTo(begin);
        reopen();
        assertThat(main.endOfWal()).isEqualTo(begin);
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("create table kept as select g i from generate_series(1, 1000) g");
            assertEndOfWal(server, main);
            Timeline branch = service.createBranch(new TimelineId("kept"), main.head());
            try (RealPostgres second = Materialized.start(branch)) {
                assertThat(second.query("select count(*) from kept")).isEqualTo("1000");
            }
        }
    }

    @Test
    void branches_of_branches_see_their_chain_and_keep_their_own_writes() throws Exception {
        Timeline parent = main;
        for (int depth = 1; depth <= 3; depth++) {
            Timeline at = parent;
            try (RealPostgres server = Materialized.start(at)) {
                server.execute("create table t" + depth
                        + " as select g i, repeat('x', 900) f from generate_series(1, 3000) g");
                Timeline child = service.createBranch(new TimelineId("depth" + depth), at.head());
                server.execute("create table after" + depth + " (i int)", "select pg_switch_wal()");
                server.execute("insert into t" + depth + " values (0)");
                parent = child;
            }
        }
        reopen();
        parent = service.timeline(parent.id());
        try (RealPostgres server = Materialized.start(parent)) {
            for (int depth = 1; depth <= 3; depth++) {
                assertThat(server.query("select count(*) from t" + depth)).isEqualTo("3000");
            }
            assertThat(server.query("select count(*) from pg_class where relname like 'after%'"))
                    .isEqualTo("0");
            assertEndOfWal(server, parent);
        }
    }

    private static byte[] bytes(int value) {
        byte[] bytes = new byte[Timeline.BLOCK_SIZE];
        java.util.Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void a_record_that_a_crash_cut_off_and_the_next_start_overwrote_is_stepped_over() throws Exception {
        Lsn cut;
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("create table t as select 1 i", "select pg_switch_wal()", "insert into t values (2)");
            cut = Lsn.parse(server.query("select pg_current_wal_insert_lsn()"));
            server.execute("select pg_logical_emit_message(false, 'test', repeat('x', 100000))");
            server.execute("insert into t values (3)");
            server.crash();
        }
        service.close();
        Path segment = main.layout().wal().resolve(WalFormat.segmentName(cut.value(), SEGMENT_SIZE));
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            long from = (cut.value() / 8192 + 3) * 8192 % SEGMENT_SIZE;
            file.seek(from);
            file.write(new byte[SEGMENT_SIZE - (int) from]);
        }
        open();
        Lsn end = main.endOfWal();
        assertThat(end.value()).isBetween(cut.value() - 200, cut.value() + 200);
        try (RealPostgres server = Materialized.start(main)) {
            server.execute("insert into t values (4)");
            assertEndOfWal(server, main);
            Timeline branch = service.createBranch(new TimelineId("after"), main.head());
            try (RealPostgres second = Materialized.start(branch)) {
                assertThat(second.query("select string_agg(i::text, ',' order by i) from t"))
                        .isEqualTo("1,2,4");
            }
            Lsn between = new Lsn(end.value() + 20_000);
            assertThat(main.at(between).lsn()).isEqualTo(end);
        }
        reopen();
        assertThat(main.endOfWal()).isGreaterThan(end);
    }

    @Test
    void history_outside_the_range_is_refused_with_the_range() {
        Lsn begin = service.timeline(TEMPLATE).head().lsn();
        assertThat(main.at(begin)).isEqualTo(main.head());
        assertThatThrownBy(() -> main.at(new Lsn(begin.value() + 8)))
                .isInstanceOf(OutsideHistoryException.class)
                .hasMessageContaining("from " + begin + " to " + begin);
        assertThatThrownBy(() -> main.at(new Lsn(begin.value() - 8))).isInstanceOf(OutsideHistoryException.class);
        assertThatThrownBy(() -> main.stat("global/pg_control", new Lsn(begin.value() + 8)))
                .isInstanceOf(OutsideHistoryException.class);
    }

    @Test
    void an_unwoken_branch_costs_less_than_64_kilobytes() throws IOException {
        assertThat(diskUse(main.layout().directory())).isLessThan(64 << 10);
        reopen();
        main.stat("base");
        assertThat(diskUse(main.layout().directory())).isLessThan(64 << 10);
    }

    @Test
    void a_woken_branch_without_writes_costs_less_than_a_megabyte() throws IOException {
        main.beginEpoch(RealPostgres.owner());
        main.endEpoch();
        assertThat(diskUse(main.layout().directory())).isLessThan(1 << 20);
    }

    private static long diskUse(Path directory) throws IOException {
        Process du = new ProcessBuilder("du", "-sk", directory.toString()).start();
        try (var out = du.inputReader()) {
            return Long.parseLong(out.readLine().split("\t")[0]) * 1024;
        }
    }

    private void reopen() {
        service.close();
        open();
    }

    private void open() {
        service = PageService.open(directory.path().resolve("timelines"));
        main = service.timeline(MAIN);
        assertThat(Files.isDirectory(main.layout().directory())).isTrue();
    }
}
