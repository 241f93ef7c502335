package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.history.Lease;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.upkeep.GarbageCollection;
import dev.coppice.storage.verify.Finding;
import dev.coppice.storage.verify.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;

/**
 * A page service beside a naive model of it: random operations on both, and comparison of everything that may be read. Not
 * thread-safe; the page service's own threads run beside it.
 */
@NullUnmarked
final class ModelWorld implements AutoCloseable {
    private static final int BLOCK = Timeline.BLOCK_SIZE;
    private static final int MAX_TIMELINES = 9;
    private static final int MAX_LEASES = 3;
    private static final List<Duration> RETENTIONS = List.of(
            Duration.ZERO, Duration.ofMillis(30), Duration.ofMillis(300), Duration.ofSeconds(3), Duration.ofHours(1));

    private record Held(BranchPoint point, Lease lease) {}

    final List<ModelTimeline> timelines = new ArrayList<>();
    private final List<Held> leases = new ArrayList<>();
    private final Path directory;
    private final StorageConfiguration configuration;
    private final Random random;
    private final FileWrites writes;
    private boolean open = true;
    private int created;

    /** Counts what the test really did, so that a test that does nothing is noticed. */
    final Map<String, Integer> done = new TreeMap<>();

    PageService service;

    ModelWorld(Path directory, StorageConfiguration configuration, Random random, FileWrites writes)
            throws IOException {
        this.directory = directory;
        this.configuration = configuration;
        this.random = random;
        this.writes = writes;
        service = PageService.open(directory.resolve("timelines"), configuration, writes);
        importRoot();
    }

    private void importRoot() throws IOException {
        Path pgdata = Files.createDirectories(directory.resolve("pgdata"));
        for (String name : List.of("base", "base/5", "global", "pg_xact", "pg_logical", "pg_wal")) {
            Files.createDirectory(pgdata.resolve(name));
        }
        ModelImage image = new ModelImage();
        SyntheticWal wal = new SyntheticWal(pgdata.resolve("pg_wal"), SyntheticWal.BEGIN, 0);
        wal.checkpoint();
        byte[] control = SyntheticWal.control(1, wal.lastStart(), wal.lastStart());
        whole(pgdata, image, "global/pg_control", control);
        whole(pgdata, image, "PG_VERSION", "18\n".getBytes(StandardCharsets.UTF_8));
        ByteBuffer table = ByteBuffer.allocate(20 * BLOCK);
        for (long block = 0; block < 20; block++) {
            ModelImage.Content content = new ModelImage.Content(random.nextLong(), BLOCK);
            image.page("base/5/16384", block, content);
            table.put(content.bytes());
        }
        Files.write(pgdata.resolve("base/5/16384"), table.array());
        image.directories.addAll(List.of("base", "base/5", "global", "pg_xact", "pg_logical"));

        ModelTimeline root = new ModelTimeline(new TimelineId("root"), null, 0, image, random);
        service.createRoot(root.id).importDirectory(pgdata);
        root.imported(wal.lastStart(), wal.position());
        timelines.add(root);
        root.start(service.timeline(root.id));
        created = 1;
    }

    private static void whole(Path pgdata, ModelImage image, String path, byte[] content) throws IOException {
        Files.write(pgdata.resolve(path), content);
        ModelImage.File file = image.replace(path);
        file.size = content.length;
        file.whole = content;
    }

    /** One random operation. */
    void step() {
        ModelTimeline timeline = timelines.get(random.nextInt(timelines.size()));
        switch (random.nextInt(100)) {
            case 0, 1, 2 -> count("branch", () -> branch(timeline));
            case 3, 4 -> count("delete", this::deleteLeaf);
            case 5, 6, 7, 8, 9 -> count("flush", () -> real(timeline).flush());
            case 10, 11 -> count("compact", () -> service.compact(timeline.id));
            case 12, 13, 14 -> count("collect", () -> collect(timeline));
            case 15, 16 -> count("retention", () -> retention(timeline));
            case 17, 18 -> count("lease", () -> lease(timeline));
            case 19 -> count("release", this::release);
            case 20, 21, 22 -> count("restart compute", () -> stop(timeline));
            case 23, 24, 25, 26 -> count("checkpoint", () -> running(timeline).checkpoint());
            case 27 -> count("reopen", this::reopen);
            case 28, 29, 30, 31 -> count("head", () -> head(timeline));
            case 32, 33, 34, 35, 36, 37, 38, 39 -> count("compare", () -> compareSome(timeline));
            default -> count("burst", () -> running(timeline).burst());
        }
    }

    private void count(String what, Runnable operation) {
        done.merge(what, 1, Integer::sum);
        operation.run();
    }

    Timeline real(ModelTimeline timeline) {
        return service.timeline(timeline.id);
    }

    private ModelTimeline running(ModelTimeline timeline) {
        if (!timeline.running()) {
            timeline.start(real(timeline));
        }
        return timeline;
    }

    private void stop(ModelTimeline timeline) {
        if (timeline.running()) {
            timeline.stop(real(timeline));
        }
    }

    private void head(ModelTimeline timeline) {
        long boundary = running(timeline).quiet();
        assertThat(real(timeline).head()).isEqualTo(timeline.at(boundary));
    }

    /** A new timeline at the head or at any point that is still there: a branch, or the restore of one. */
    private void branch(ModelTimeline from) {
        if (timelines.size() >= MAX_TIMELINES || from.boundaries.isEmpty()) {
            return;
        }
        long lsn;
        if (random.nextInt(3) == 0) {
            lsn = running(from).quiet();
            assertThat(real(from).head()).isEqualTo(from.at(lsn));
        } else {
            lsn = anyBoundary(from);
            if (!isRetained(from, lsn)) {
                assertRefused(from, lsn);
                return;
            }
        }
        try (Lease lease = service.lease(from.at(lsn))) {
            assertThat(real(from).at(new Lsn(lsn))).isEqualTo(from.at(lsn));
            ModelTimeline child = new ModelTimeline(
                    new TimelineId("t" + created++),
                    from,
                    lsn,
                    from.boundaries.get(lsn).image(),
                    random);
            service.createBranch(child.id, lease.point());
            timelines.add(child);
            if (random.nextBoolean()) {
                child.start(real(child));
            }
        } catch (OutsideHistoryException e) {
            assertCollected(from, lsn, e);
        }
    }

    /** A branch of everything that is there now; it is not woken. */
    ModelTimeline branchAtHead(ModelTimeline from) {
        long lsn = running(from).quiet();
        BranchPoint point = real(from).head();
        assertThat(point).isEqualTo(from.at(lsn));
        ModelTimeline child = new ModelTimeline(
                new TimelineId("t" + created++),
                from,
                lsn,
                from.boundaries.get(lsn).image(),
                random);
        service.createBranch(child.id, point);
        timelines.add(child);
        return child;
    }

    private void deleteLeaf() {
        List<ModelTimeline> leaves = timelines.stream()
                .filter(timeline -> timeline.parent != null
                        && timelines.stream().noneMatch(other -> other.parent == timeline)
                        && leases.stream()
                                .noneMatch(held -> held.point.timeline().equals(timeline.id)))
                .toList();
        if (leaves.isEmpty() || timelines.size() < MAX_TIMELINES / 2) {
            return;
        }
        ModelTimeline leaf = leaves.get(random.nextInt(leaves.size()));
        service.delete(leaf.id);
        timelines.remove(leaf);
        assertThat(service.exists(leaf.id)).isFalse();
    }

    private void collect(ModelTimeline timeline) {
        Lsn before = real(timeline).horizon();
        GarbageCollection result = service.collectGarbage(timeline.id);
        // It is the horizon at the end of the collection. Where the background collects every second, it may have moved
        // on before it is
        // asked for again: with a retention of milliseconds every collection moves it.
        assertThat(before.isAfter(result.horizon())).isFalse();
        assertThat(result.horizon().isAfter(real(timeline).horizon())).isFalse();
        if (!collectsInBackground()) {
            assertThat(result.horizon()).isEqualTo(real(timeline).horizon());
        }
        checkHorizon(timeline);
        if (result.bytesAfter() < result.bytesBefore()) {
            done.merge("collections that freed space", 1, Integer::sum);
        }
    }

    private boolean collectsInBackground() {
        return configuration.garbageCollectionIntervalSeconds() < 3_600;
    }

    /** The horizon only rises, never above what the retention asks for. */
    private void checkHorizon(ModelTimeline timeline) {
        long horizon = real(timeline).horizon().value();
        // Later than any collection took its own time.
        Instant now = Instant.now();
        assertThat(horizon).as("horizon of " + timeline.id).isGreaterThanOrEqualTo(timeline.knownHorizon);
        long before = timeline.knownHorizon;
        timeline.knownHorizon = horizon;
        if (timeline.retention != null) {
            Instant oldest = now.minus(timeline.retention);
            timeline.boundaries.forEach((lsn, boundary) -> {
                if (lsn >= before && !boundary.made().isBefore(oldest)) {
                    assertThat(lsn)
                            .as("%s made at %s, retention %s", timeline.id, boundary.made(), timeline.retention)
                            .isGreaterThanOrEqualTo(horizon);
                }
            });
        }
    }

    private void retention(ModelTimeline timeline) {
        checkHorizon(timeline);
        Duration retention = RETENTIONS.get(random.nextInt(RETENTIONS.size()));
        // What is collected by the longer one meanwhile must not be judged by the new one.
        timeline.retention = null;
        service.setRetention(timeline.id, retention);
        if (timeline.knownHorizon == real(timeline).horizon().value()) {
            timeline.retention = retention;
        }
    }

    private void lease(ModelTimeline timeline) {
        if (leases.size() >= MAX_LEASES || timeline.boundaries.isEmpty()) {
            return;
        }
        long lsn = anyBoundary(timeline);
        try {
            leases.add(new Held(timeline.at(lsn), service.lease(timeline.at(lsn))));
        } catch (OutsideHistoryException e) {
            assertCollected(timeline, lsn, e);
        }
    }

    private void release() {
        if (!leases.isEmpty()) {
            leases.remove(random.nextInt(leases.size())).lease().close();
        }
    }

    /** Leases and retentions are in memory only; computes live on. */
    void reopen() {
        service.close();
        leases.clear();
        open = false;
        service = PageService.open(directory.resolve("timelines"), configuration, writes);
        open = true;
        for (ModelTimeline timeline : timelines) {
            timeline.retention = null;
            if (timeline.running()) {
                assertThat(real(timeline).epochOpen()).isTrue();
                timeline.adopt(real(timeline));
            }
        }
    }

    private long anyBoundary(ModelTimeline timeline) {
        List<Long> all = List.copyOf(timeline.boundaries.keySet());
        // Rather the late ones: the early ones are collected sooner or later.
        int back = random.nextInt(random.nextBoolean() ? all.size() : Math.min(all.size(), 8));
        return all.get(all.size() - 1 - back);
    }

    /** By the page service's own word on how far history reaches, and by what pins it. */
    private boolean isRetained(ModelTimeline timeline, long lsn) {
        return lsn >= real(timeline).horizon().value() || pins(timeline).contains(lsn);
    }

    private Set<Long> pins(ModelTimeline timeline) {
        Set<Long> pins = new HashSet<>();
        timelines.stream().filter(child -> child.parent == timeline).forEach(child -> pins.add(child.ancestorLsn));
        leases.stream()
                .filter(held -> held.point().timeline().equals(timeline.id))
                .forEach(held -> pins.add(held.point().lsn().value()));
        return pins;
    }

    private void assertCollected(ModelTimeline timeline, long lsn, OutsideHistoryException e) {
        assertThat(isRetained(timeline, lsn))
                .as("%s at %s was refused: %s", timeline.id, new Lsn(lsn), e.getMessage())
                .isFalse();
    }

    private void assertRefused(ModelTimeline timeline, long lsn) {
        done.merge("refused points", 1, Integer::sum);
        assertThatThrownBy(() -> real(timeline).stat("PG_VERSION", new Lsn(lsn)))
                .as("%s at %s", timeline.id, new Lsn(lsn))
                .isInstanceOf(OutsideHistoryException.class)
                .hasMessageContaining(new Lsn(lsn).toString())
                .hasMessageContaining(real(timeline).horizon().toString());
        assertThatThrownBy(() -> service.lease(timeline.at(lsn))).isInstanceOf(OutsideHistoryException.class);
    }

    private void compareSome(ModelTimeline timeline) {
        compareHead(timeline);
        if (!timeline.boundaries.isEmpty()) {
            for (int i = 0; i < 3; i++) {
                compareAt(timeline, anyBoundary(timeline));
            }
        }
    }

    /** Every point of every timeline: what is retained in full, what is collected refused. */
    void compareEverything() {
        for (ModelTimeline timeline : timelines) {
            compareHead(timeline);
            timeline.boundaries.keySet().forEach(lsn -> compareAt(timeline, lsn));
        }
    }

    /** The heads and the last points of every timeline. */
    void compareLatest(int points) {
        for (ModelTimeline timeline : timelines) {
            compareHead(timeline);
            timeline.boundaries.descendingKeySet().stream().limit(points).forEach(lsn -> compareAt(timeline, lsn));
        }
    }

    private void compareAt(ModelTimeline timeline, long lsn) {
        if (!isRetained(timeline, lsn)) {
            assertRefused(timeline, lsn);
            return;
        }
        try {
            new ImageComparison(real(timeline), new Lsn(lsn))
                    .compare(timeline.boundaries.get(lsn).image());
        } catch (OutsideHistoryException e) {
            // Collected between the question and the read.
            assertCollected(timeline, lsn, e);
        }
    }

    private void compareHead(ModelTimeline timeline) {
        if (timeline.id.value().equals("root") && real(timeline).size().layerBytes() > 0) {
            done.merge("comparisons with layers", 1, Integer::sum);
        }
        new ImageComparison(real(timeline), null).compare(timeline.image);
    }

    /** Whether the last reopening succeeded. */
    boolean isOpen() {
        return open;
    }

    /** Everything that waits in the background, now. */
    void upkeep() {
        for (ModelTimeline timeline : timelines) {
            real(timeline).flush();
            service.compact(timeline.id);
            service.collectGarbage(timeline.id);
        }
    }

    /** What the check of the storage says about errors. */
    List<String> findings() {
        List<String> findings = new ArrayList<>();
        for (ModelTimeline timeline : timelines) {
            service.verify(timeline.id, Progress.NONE).findings().stream()
                    .filter(finding -> finding.severity() == Finding.Severity.ERROR)
                    .forEach(finding -> findings.add(finding.toString()));
        }
        return findings;
    }

    /** What is on disk is named by somebody: no orphaned layer, segment or directory. */
    Set<String> directoriesOfTimelines() {
        String[] names = directory.resolve("timelines").toFile().list();
        return Arrays.stream(names == null ? new String[0] : names).collect(Collectors.toSet());
    }

    @Override
    public void close() {
        service.close();
    }
}
