package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.PageVersion;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.verify.Finding;
import dev.coppice.storage.verify.Progress;
import dev.coppice.storage.verify.Verification;
import dev.coppice.storage.wal.WalFormat;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A timeline with layers, a journal's tail, live and archived WAL, and a child; then damage, one at a time. */
class VerifyIT {
    private static final long SEED = Long.getLong("coppice.seed", System.nanoTime());
    private static final TimelineId MAIN = new TimelineId("main");
    private static final TimelineId CHILD = new TimelineId("child");
    private static final String FILE = "base/5/99999";
    private static final int SEGMENT_SIZE = 16 << 20;

    private static TestDirectory directory;
    private static PageService service;
    private static Timeline main;
    private static Timeline child;
    private static Lsn fork;
    private static Lsn middle;

    private final Random random = new Random(SEED);
    private final List<Runnable> repairs = new ArrayList<>();

    @BeforeAll
    static void write_a_history() throws Exception {
        directory = new TestDirectory();
        Path cluster = directory.path().resolve("cluster");
        RealPostgres.initdb(cluster);
        service = PageService.open(directory.path().resolve("timelines"));
        service.createRoot(new TimelineId("template")).importDirectory(cluster);
        main = service.createBranch(
                MAIN, service.timeline(new TimelineId("template")).head());
        child = main;
        fork = Lsn.ZERO;
        middle = Lsn.ZERO;
        for (int epoch = 1; epoch <= 3; epoch++) {
            try (RealPostgres server = Materialized.start(main)) {
                server.execute("create table t" + epoch + " as select g i, repeat('x', 100) f from"
                        + " generate_series(1, 20000) g");
                Journaling journal = Journaling.to(main);
                if (epoch == 1) {
                    journal.append(EntryType.CREATE, FILE, 0, 0);
                }
                for (int block = 0; block < 20; block++) {
                    journal.page(FILE, block, page(epoch * 100 + block));
                }
                main.head();
                server.execute("select pg_switch_wal()", "insert into t" + epoch + " values (0)");
                journal = Journaling.to(main);
                journal.append(EntryType.TRUNCATE, FILE, 15L * 8192, 0);
                journal.page(FILE, 3, page(epoch * 100 + 50));
                if (epoch == 3) {
                    fork = main.head().lsn();
                    child = service.createBranch(CHILD, new BranchPoint(MAIN, fork));
                    server.execute("insert into t3 values (1)");
                    Journaling.to(main).page(FILE, 3, page(7));
                    middle = main.head().lsn();
                    Journaling.to(main).page(FILE, 3, page(8));
                }
                server.crash();
            }
            main.endEpoch();
            if (epoch < 3) {
                main.flush();
            }
        }
        // What a Postgres under the interposer does with segments that it no longer needs.
        long current = WalFormat.segmentStart(main.endOfWal().value(), SEGMENT_SIZE);
        List<String> old = new ArrayList<>();
        try (var names = Files.list(main.layout().wal())) {
            names.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith("00000001")
                            && name.compareTo(WalFormat.segmentName(current, SEGMENT_SIZE)) < 0)
                    .forEach(old::add);
        }
        assertThat(old).hasSizeGreaterThan(2);
        for (String name : old) {
            Files.move(
                    main.layout().wal().resolve(name),
                    main.layout().finishedWal().resolve(name));
        }
        main.upkeep().compressWal(Instant.now().plusSeconds(60), old.size() - 1);
    }

    @AfterAll
    static void clean_up() {
        service.close();
        directory.close();
    }

    @AfterEach
    void repair() {
        repairs.reversed().forEach(Runnable::run);
        assertThat(verify(MAIN).findings()).isEmpty();
    }

    private static byte[] page(int value) {
        byte[] bytes = new byte[Timeline.BLOCK_SIZE];
        new Random(value).nextBytes(bytes);
        return bytes;
    }

    private static Verification verify(TimelineId id) {
        return service.verify(id, Progress.NONE);
    }

    private static Path only(Path directory, String pattern) {
        return all(directory, pattern).getFirst();
    }

    private static List<Path> all(Path directory, String pattern) {
        try (var names = Files.list(directory)) {
            return names.filter(path -> path.getFileName().toString().matches(pattern))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void change(Path file, long position, int xor) {
        flip(file, position, xor);
        repairs.add(() -> flip(file, position, xor));
    }

    private static void flip(Path file, long position, int xor) {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(position);
            int old = bytes.read();
            bytes.seek(position);
            bytes.write(old ^ xor);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void hide(Path file) throws IOException {
        Path hidden = directory.path().resolve("hidden");
        Files.move(file, hidden);
        repairs.add(() -> {
            try {
                Files.move(hidden, file);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static void assertFound(Verification verification, Finding.Severity severity, String file) {
        assertThat(verification.findings()).as("-Dcoppice.seed=%d", SEED).isNotEmpty();
        assertThat(verification.findings()).as("-Dcoppice.seed=%d", SEED).anySatisfy(finding -> {
            assertThat(finding.severity()).isEqualTo(severity);
            assertThat(finding.timeline()).isEqualTo(MAIN);
            assertThat(finding.file()).contains(file);
            assertThat(finding.what()).isNotBlank();
            assertThat(finding.advice()).isNotBlank();
        });
    }

    @Test
    void a_whole_timeline_has_no_findings_and_everything_was_read() {
        TreeSet<String> steps = new TreeSet<>();
        Verification verification = service.verify(MAIN, (timeline, step, done, total) -> {
            steps.add(step);
            assertThat(done).isBetween(0L, total);
        });
        assertThat(verification.findings()).isEmpty();
        assertThat(steps).containsExactly("journal", "layers", "wal");
        assertThat(verification.journalEntries()).isGreaterThanOrEqualTo(24);
        assertThat(verification.layers()).isPositive();
        assertThat(verification.walRecords()).isGreaterThan(1000);
        assertThat(verify(CHILD).plus(verify(new TimelineId("template"))).findings())
                .isEmpty();
    }

    @Test
    void a_flipped_bit_in_the_journal_is_found_wherever_it_is() throws IOException {
        Path segment = all(main.layout().journal(), ".*\\.journal").getLast();
        long flushed = firstData(segment);
        for (int i = 0; i < 40; i++) {
            long position = flushed + (long) (random.nextDouble() * (Files.size(segment) - 48 - flushed));
            change(segment, position, 1 << random.nextInt(8));
            assertFound(verify(MAIN), Finding.Severity.ERROR, "journal/" + segment.getFileName());
            repairs.removeLast().run();
        }
        change(segment, 20, 1);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "journal/" + segment.getFileName());
    }

    private static long firstData(Path segment) throws IOException {
        byte[] bytes = Files.readAllBytes(segment);
        int at = 64;
        while (bytes[at] == 0) {
            at++;
        }
        return at;
    }

    @Test
    void what_a_killed_process_left_is_counted_and_no_finding() throws Exception {
        Timeline torn = service.createBranch(new TimelineId("torn"), child.head());
        torn.beginEpoch(RealPostgres.owner());
        Journaling journal = Journaling.to(torn);
        journal.page(FILE, 0, page(1));
        journal.tornPage(FILE, 1, page(2), 3000);
        journal.tornPage(FILE, 2, page(3), 30);
        journal.tornPage(FILE, 3, page(4), 2);
        journal.page(FILE, 4, page(5));
        journal.tornPage(FILE, 5, page(6), 8000);
        torn.endEpoch();
        Verification verification = verify(torn.id());
        assertThat(verification.findings()).isEmpty();
        assertThat(verification.tornBytes()).isEqualTo(3000 + 30 + 2 + 8000);
        service.delete(torn.id());
    }

    @Test
    void a_journal_that_lost_its_newest_segment_is_found() throws IOException {
        List<Path> segments = all(main.layout().journal(), ".*\\.journal");
        hide(segments.getLast());
        assertFound(verify(MAIN), Finding.Severity.ERROR, "");
    }

    @Test
    void a_flipped_bit_in_a_layer_is_found_wherever_it_is() throws IOException {
        Path layers = main.layout().directory().resolve("layers");
        List<Path> files = all(layers, ".*").stream()
                .filter(path -> !path.getFileName().toString().startsWith("manifest"))
                .toList();
        for (int i = 0; i < 40; i++) {
            Path layer = files.get(random.nextInt(files.size()));
            change(layer, (long) (random.nextDouble() * Files.size(layer)), 1 << random.nextInt(8));
            assertFound(verify(MAIN), Finding.Severity.ERROR, "layers/" + nameOf(layer));
            repairs.removeLast().run();
        }
    }

    @Test
    void a_missing_layer_a_stray_one_and_a_damaged_manifest_are_found() throws IOException {
        Path layers = main.layout().directory().resolve("layers");
        Path layer = all(layers, ".*").stream()
                .filter(path -> !path.getFileName().toString().startsWith("manifest"))
                .findFirst()
                .orElseThrow();
        hide(layer);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "layers/" + nameOf(layer));
        repairs.removeLast().run();
        Path stray = layers.resolve(layer.getFileName().toString().replaceAll("[0-9]", "9"));
        Files.copy(layer, stray);
        assertFound(verify(MAIN), Finding.Severity.WARNING, "layers/" + nameOf(stray));
        Files.delete(stray);
        Path manifest = only(layers, "manifest-.*");
        change(manifest, Files.size(manifest) / 2, 1);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "layers");
    }

    @Test
    void damaged_and_missing_wal_is_found() throws IOException {
        Path compressed = only(main.layout().walArchive(), ".*\\.zst");
        change(compressed, Files.size(compressed) / 3, 4);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "wal-archive/" + compressed.getFileName());
        repairs.removeLast().run();
        Path plain = only(main.layout().walArchive(), "[0-9A-F]{24}");
        // Near its beginning: behind a switch of segments there are zeroes.
        change(plain, 3000, 16);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "wal");
        repairs.removeLast().run();
        hide(compressed);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "wal");
    }

    @Test
    void an_ended_timeline_whose_newest_wal_is_damaged_is_found() throws IOException {
        Path newest = all(main.layout().wal(), "[0-9A-F]{24}").stream()
                .filter(path -> path.getFileName()
                        .toString()
                        .equals(WalFormat.segmentName(main.endOfWal().value(), SEGMENT_SIZE)))
                .findFirst()
                .orElseThrow();
        change(newest, (main.endOfWal().value() % SEGMENT_SIZE) - 20, 1);
        assertFound(verify(MAIN), Finding.Severity.ERROR, "wal/" + newest.getFileName());
    }

    @Test
    void versions_of_a_block_are_listed_along_the_chain_and_the_served_one_is_marked() {
        List<PageVersion> head = main.versions(FILE, 3, Optional.empty());
        assertThat(head).extracting(PageVersion::kind).startsWith(PageVersion.Kind.PAGE);
        assertThat(head.getFirst().served()).isTrue();
        assertThat(head.getFirst().where()).matches("journal 3@[0-9]+");
        assertThat(head.stream().filter(PageVersion::served)).hasSize(1);
        assertThat(head.stream().map(PageVersion::where).filter(where -> !where.startsWith("journal")))
                .isNotEmpty();
        assertThat(head.getLast().kind()).isEqualTo(PageVersion.Kind.CREATE);
        PageVersion then = main.versions(FILE, 3, Optional.of(middle)).stream()
                .filter(PageVersion::served)
                .findFirst()
                .orElseThrow();
        assertThat(then.stamp()).isLessThanOrEqualTo(middle);
        assertThat(readBlock(main, 3, middle)).isEqualTo(page(7));
        List<PageVersion> inherited = child.versions(FILE, 3, Optional.empty());
        assertThat(inherited).allMatch(version -> version.timeline().equals(MAIN));
        assertThat(inherited).allMatch(version -> !version.stamp().isAfter(fork));
        assertThat(inherited.getFirst().served()).isTrue();
        assertThat(inherited).hasSize(head.size() - 2);
        PageVersion cut = main.versions(FILE, 16, Optional.empty()).getFirst();
        assertThat(cut.kind()).isEqualTo(PageVersion.Kind.TRUNCATE);
        assertThat(cut.served()).isTrue();
    }

    /** The store's name of a layer's file. */
    private static String nameOf(Path layer) {
        return layer.getFileName().toString().replaceFirst("\\.[a-z]+$", "");
    }

    private static byte[] readBlock(Timeline timeline, long block, Lsn lsn) {
        byte[] bytes = new byte[Timeline.BLOCK_SIZE];
        timeline.readPages(FILE, block, 1, lsn, new PageConsumer() {
            @Override
            public void zero(long number) {
                Arrays.fill(bytes, (byte) 0);
            }

            @Override
            public void page(long number, long stamp, java.nio.ByteBuffer page) {
                page.get(bytes);
            }
        });
        return bytes;
    }
}
