package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.wal.CommitTimes;
import dev.coppice.storage.wal.LocalWalStore;
import dev.coppice.storage.wal.LsnRange;
import dev.coppice.storage.wal.Moment;
import dev.coppice.storage.wal.Moments;
import dev.coppice.storage.wal.WalStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Times of commits in the WAL of a real Postgres that several clients wrote at once. */
class CommitTimesIT {
    private static final int CLIENTS = 3;
    private static final int COMMITS = 400;

    private static final long SEED = Long.getLong("coppice.seed", System.nanoTime());

    private static final OpenFiles FILES = new OpenFiles();
    private static TestDirectory directory;
    private static PageService service;
    private static Timeline main;
    private static WalStore store;
    private static long start;
    private static long end;
    private static Moments moments = Moments.EMPTY;

    /** Commit times by row. */
    private static final TreeMap<Integer, Instant> COMMITTED = new TreeMap<>();

    @BeforeAll
    static void write_a_history() throws Exception {
        directory = new TestDirectory();
        Path cluster = directory.path().resolve("cluster");
        RealPostgres.initdb(cluster);
        service = PageService.open(directory.path().resolve("timelines"));
        service.createRoot(new TimelineId("template")).importDirectory(cluster);
        main = service.createBranch(
                new TimelineId("main"),
                service.timeline(new TimelineId("template")).head());
        start = main.head().lsn().value();
        Random random = new Random(SEED);
        try (RealPostgres server = Materialized.start(main, "track_commit_timestamp=on")) {
            server.execute("create table t (i int)");
            AtomicBoolean done = new AtomicBoolean();
            Thread sampler = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    Lsn lsn = main.endOfWal();
                    moments = moments.with(Instant.now(), lsn);
                    pause(30);
                }
            });
            List<Thread> clients = new ArrayList<>();
            for (int c = 0; c < CLIENTS; c++) {
                int first = c * COMMITS;
                Random own = new Random(random.nextLong());
                clients.add(Thread.ofPlatform().start(() -> write(server, first, own)));
            }
            for (Thread client : clients) {
                client.join();
            }
            done.set(true);
            sampler.join();
            try (Connection connection = server.connect();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select i, pg_xact_commit_timestamp(xmin) from t")) {
                while (rows.next()) {
                    COMMITTED.put(
                            rows.getInt(1),
                            rows.getObject(2, OffsetDateTime.class).toInstant());
                }
            }
            end = main.head().lsn().value();
            server.crash();
        }
        assertThat(COMMITTED).hasSize(CLIENTS * COMMITS);
        assertThat(moments.list()).hasSizeGreaterThan(5);
        main.endEpoch();
        store = new LocalWalStore(main.layout().wal(), main.layout().walArchive(), null, 0, FILES);
    }

    @AfterAll
    static void clean_up() {
        service.close();
        FILES.close();
        directory.close();
    }

    private static void write(RealPostgres server, int first, Random random) {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < COMMITS; i++) {
                statement.execute("insert into t values (" + (first + i) + ")");
                if (random.nextInt(100) == 0) {
                    statement.execute("select pg_logical_emit_message(false, 'filler', repeat('x', 1000000))");
                }
                if (random.nextInt(200) == 0) {
                    statement.execute("select pg_switch_wal()");
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Where the timeline must be cut for a time, found by walking all of its WAL. */
    private static long expected(Instant time) {
        CommitTimes.Answer answer = new CommitTimes(store).find(CommitTimes.toPostgres(time), start, end);
        return answer instanceof CommitTimes.Answer.Before(long lastCommitEnd) ? lastCommitEnd : end;
    }

    private static Instant anyTime(Random random) {
        List<Instant> all = List.copyOf(COMMITTED.values());
        return all.get(random.nextInt(all.size())).plusNanos(1000L * (random.nextInt(5) - 2));
    }

    @Test
    void a_search_from_the_nearest_moment_finds_what_a_walk_over_everything_finds() {
        Random random = new Random(SEED);
        CommitTimes times = new CommitTimes(store);
        for (int i = 0; i < 60; i++) {
            Instant time = anyTime(random);
            long expected = expected(time);
            var from = moments.atOrBefore(time);
            CommitTimes.Answer answer = from.isPresent()
                    ? times.find(CommitTimes.toPostgres(time), from.get(), end)
                    : times.find(CommitTimes.toPostgres(time), start, end);
            long found = answer instanceof CommitTimes.Answer.Before(long lastCommitEnd) ? lastCommitEnd : end;
            // A moment behind the last commit is as good as that commit's end.
            long nothingBetween = Math.max(found, expected);
            assertThat(commitsBelow(nothingBetween))
                    .as("-Dcoppice.seed=%d, %s", SEED, time)
                    .isEqualTo(commitsBelow(expected))
                    .isEqualTo(commitsBelow(found));
        }
    }

    private static long commitsBelow(long lsn) {
        var scanner = new dev.coppice.storage.wal.WalScanner(store, start, 0);
        long count = 0;
        while (scanner.next() && Long.compareUnsigned(scanner.position(), lsn) <= 0) {
            count += scanner.commitTime() == CommitTimes.NO_TIME ? 0 : 1;
        }
        return count;
    }

    /**
     * Of the rows' commits, those before the first commit record that is later than {@code time}: in the order of the WAL, which is not
     * quite that of the times.
     */
    private static List<Long> committedBy(Instant time) {
        long limit = CommitTimes.toPostgres(time);
        List<Long> rows =
                COMMITTED.values().stream().map(CommitTimes::toPostgres).toList();
        List<Long> committed = new ArrayList<>();
        var scanner = new dev.coppice.storage.wal.WalScanner(store, start, 0);
        while (scanner.next()) {
            long at = scanner.commitTime();
            if (at != CommitTimes.NO_TIME && at > limit) {
                break;
            }
            if (at != CommitTimes.NO_TIME && rows.contains(at)) {
                committed.add(at);
            }
        }
        return committed.stream().sorted().toList();
    }

    @Test
    void a_branch_at_a_time_has_what_is_before_the_first_commit_record_with_a_later_time() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < 3; i++) {
            Instant time = anyTime(random);
            Timeline branch = service.createBranch(new TimelineId("at-" + i), main.at(time));
            try (RealPostgres recovered = Materialized.start(branch);
                    Connection connection = recovered.connect();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select i from t order by i")) {
                List<Long> found = new ArrayList<>();
                while (rows.next()) {
                    found.add(CommitTimes.toPostgres(java.util.Objects.requireNonNull(COMMITTED.get(rows.getInt(1)))));
                }
                assertThat(found.stream().sorted().toList())
                        .as("-Dcoppice.seed=%d, %s", SEED, time)
                        .isEqualTo(committedBy(time));
            }
            branch.endEpoch();
        }
    }

    @Test
    void older_wal_may_be_gone_or_compressed_and_is_then_not_asked_for() throws Exception {
        Path copy = Files.createDirectories(directory.path().resolve("copy"));
        try (var segments = Files.list(main.layout().wal())) {
            for (Path segment : (Iterable<Path>) segments::iterator) {
                if (Files.isRegularFile(segment)) {
                    Files.copy(segment, copy.resolve(segment.getFileName()));
                }
            }
        }
        LocalWalStore partial = new LocalWalStore(directory.path().resolve("none"), copy, null, 0, FILES);
        int size = partial.segmentSize();
        Moment first = moments.list().stream()
                .filter(moment -> moment.lsn().value() / size >= start / size + 2)
                .findFirst()
                .orElseThrow();
        assertThat(partial.deleteOutside(List.of(new LsnRange(first.lsn(), LsnRange.UNBOUNDED))))
                .isGreaterThanOrEqualTo(size);
        long before = partial.size().archived();
        WalStore.Compression compressed = partial.compressCold(Instant.now().plusSeconds(60), 100);
        assertThat(compressed.bytesAfter()).isLessThan(compressed.bytesBefore() / 2);
        assertThat(partial.size().compressed()).isLessThan(before / 2);
        CommitTimes times = new CommitTimes(partial);
        Random random = new Random(SEED);
        for (int i = 0; i < 100; i++) {
            Instant time = anyTime(random);
            Moment from = moments.atOrBefore(time).orElse(null);
            if (from != null && !first.lsn().isAfter(from.lsn())) {
                CommitTimes.Answer answer = times.find(CommitTimes.toPostgres(time), from, end);
                long found = answer instanceof CommitTimes.Answer.Before(long lastCommitEnd) ? lastCommitEnd : end;
                assertThat(commitsBelow(found))
                        .as("-Dcoppice.seed=%d, %s", SEED, time)
                        .isEqualTo(commitsBelow(expected(time)));
            }
        }
        Instant old = COMMITTED.values().stream().min(Instant::compareTo).orElseThrow();
        assertThatThrownBy(() -> times.find(CommitTimes.toPostgres(old), start, end))
                .isInstanceOf(StorageException.class)
                .hasMessageContaining("missing");
    }
}
