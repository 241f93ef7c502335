package dev.coppice.storage.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.TestDirectory;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.layer.format.FrameCodec;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.LocalLayerStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;

/** Random histories flushed into layers, merged at random, compared with a naive replay at every retained LSN. */
@NullUnmarked
class LayerModelTest {
    private static final TimelineId TIMELINE = new TimelineId("model");

    private final TestDirectory root = new TestDirectory();
    private final OpenFiles files = new OpenFiles();
    private final FileWrites writes = new FastWrites();
    private final LayerStore store = new LocalLayerStore(root.path(), files, writes);
    private final LayerCaches caches = new LayerCaches(200_000, 200_000);

    /** Oldest first; those of one run stand together. */
    private final List<List<LayerReader>> runs = new ArrayList<>();

    private long seed;

    @BeforeEach
    void createTimeline() throws IOException {
        Files.createDirectory(root.path().resolve(TIMELINE.value()));
        seed = Long.getLong("coppice.seed", System.nanoTime());
    }

    @AfterEach
    void close() {
        files.close();
        root.close();
    }

    @RepeatedTest(6)
    void layers_answer_as_the_entries_do_and_merges_change_no_retained_answer() {
        Random random = new Random(seed);
        RandomHistory history = new RandomHistory(random);
        boolean root = random.nextBoolean();
        long horizon = 0;
        Set<Long> pins = new HashSet<>();
        for (int step = 0; step < 14; step++) {
            if (runs.isEmpty() || random.nextInt(3) > 0) {
                List<RandomHistory.Op> ops = history.more(1 + random.nextInt(step % 5 == 0 ? 900 : 120));
                addRun(runs.size(), RandomHistory.write(ops, store, TIMELINE, writes, rollOver(random)));
            } else {
                // A horizon moves forward only; a pin is made only where everything is retained still.
                if (random.nextBoolean()) {
                    pins.add(horizon + random.nextLong(Math.max(1, history.highestStamp() + 2 - horizon)));
                }
                long ahead = random.nextInt(3) == 0
                        ? history.highestStamp() + 1
                        : random.nextLong(history.highestStamp() + 2);
                horizon = Math.max(horizon, ahead);
                merge(random, horizon, pins, root);
            }
            long from = horizon;
            compare(history, lsn -> lsn == RandomHistory.HEAD || lsn >= from || pins.contains(lsn), root, random);
        }
    }

    private static long rollOver(Random random) {
        return random.nextBoolean() ? 40_000 : 1 << 28;
    }

    private void addRun(int at, List<LayerDescriptor> descriptors) {
        List<LayerReader> run = new ArrayList<>();
        for (LayerDescriptor descriptor : descriptors) {
            run.add(new LayerReader(store, TIMELINE, descriptor, caches));
        }
        runs.add(at, run);
    }

    private void merge(Random random, long horizon, Set<Long> pins, boolean root) {
        int first = random.nextInt(runs.size());
        int end = first + 1 + random.nextInt(runs.size() - first);
        List<LayerReader> inputs = new ArrayList<>();
        List<List<LayerReader>> old = runs.subList(first, end);
        old.forEach(inputs::addAll);
        if (inputs.isEmpty()) {
            return;
        }
        long firstSequence = inputs.getFirst().descriptor().firstSequence();
        long lastSequence = inputs.getLast().descriptor().lastSequence();
        RetainedPoints retained =
                new RetainedPoints(new Lsn(horizon), pins.stream().map(Lsn::new).toList());
        LayerKind kind = first == 0 ? LayerKind.IMAGE : LayerKind.DELTA;
        boolean bottom = first == 0 && root;
        List<LayerDescriptor> merged;
        try (LayerWriter writer = new LayerWriter(
                store, TIMELINE, kind, firstSequence, lastSequence, writes, FrameCodec.LZ4, rollOver(random))) {
            LayerMerger.merge(inputs, retained, path -> bottom, writer);
            merged = writer.finish();
        }
        old.clear();
        addRun(first, merged);
        inputs.forEach(input -> store.delete(TIMELINE, input.descriptor().name()));
    }

    private void compare(RandomHistory history, LongPredicate retained, boolean root, Random random) {
        List<Long> lsns = new ArrayList<>(List.of(RandomHistory.HEAD));
        for (long lsn = 98; lsn <= history.highestStamp() + 1; lsn++) {
            if (retained.test(lsn) && random.nextInt(20) == 0) {
                lsns.add(lsn);
            }
        }
        for (long lsn : lsns) {
            for (String path : RandomHistory.PATHS) {
                String where = "-Dcoppice.seed=" + seed + " " + path + " at " + lsn;
                RandomHistory.State state = history.at(path, lsn);
                compareFile(state, path, lsn, root, where);
                compareBlocks(history, state, path, lsn, root, where);
            }
        }
        Set<String> names = new TreeSet<>();
        Set<String> directories = new TreeSet<>();
        runs.forEach(run -> run.forEach(layer -> {
            names.addAll(layer.namesEverIn("base"));
            directories.addAll(layer.directoriesEver());
            assertThat(layer.verify()).as("-Dcoppice.seed=" + seed).isEmpty();
        }));
        // A merge may forget a name that no retained point knows.
        assertThat(history.namesIn("base")).as("-Dcoppice.seed=" + seed).containsAll(names);
        for (long lsn : lsns) {
            for (String path : RandomHistory.PATHS) {
                RandomHistory.State state = history.at(path, lsn);
                if (state.exists && path.startsWith("base/") && path.indexOf('/', 5) < 0) {
                    assertThat(names)
                            .as("-Dcoppice.seed=" + seed + " at " + lsn)
                            .contains(path.substring(5));
                }
                if (state.directory) {
                    assertThat(directories)
                            .as("-Dcoppice.seed=" + seed + " at " + lsn)
                            .contains(path);
                }
            }
        }
    }

    private void compareFile(RandomHistory.State state, String path, long lsn, boolean root, String where) {
        OwnFile found = OwnFile.NOTHING;
        Optional<Boolean> directory = Optional.empty();
        for (List<LayerReader> run : runs.reversed()) {
            for (LayerReader layer : run) {
                found = found.over(layer.file(path, lsn));
                directory = directory.isPresent() ? directory : layer.directory(path, lsn);
            }
        }
        if (root) {
            // Below a root there is nothing, so these are alike.
            boolean there = found.state() == OwnFile.State.EXISTS || found.state() == OwnFile.State.GROWN;
            assertThat(there).as(where).isEqualTo(state.known && state.exists);
            assertThat(directory.orElse(false)).as(where).isEqualTo(state.directory);
        } else {
            OwnFile.State expected = !state.known
                    ? OwnFile.State.NOTHING
                    : !state.exists ? OwnFile.State.ABSENT : state.cut ? OwnFile.State.EXISTS : OwnFile.State.GROWN;
            assertThat(found.state()).as(where).isEqualTo(expected);
            assertThat(directory)
                    .as(where)
                    .isEqualTo(state.directoryKnown ? Optional.of(state.directory) : Optional.empty());
        }
        if (state.exists) {
            assertThat(found.size()).as(where).isEqualTo(state.size);
        }
    }

    private void compareBlocks(
            RandomHistory history, RandomHistory.State state, String path, long lsn, boolean root, String where) {
        LayerBlock[] found = new LayerBlock[(int) RandomHistory.MOST_BLOCKS + 4];
        int open = found.length;
        for (List<LayerReader> run : runs.reversed()) {
            for (LayerReader layer : run) {
                open = layer.locate(path, 0, lsn, found);
            }
        }
        int missing = 0;
        ByteBuffer[] pages = new ByteBuffer[found.length];
        runs.forEach(run -> run.forEach(layer -> layer.readPages(
                found,
                0,
                found.length,
                (i, page) -> pages[i] =
                        ByteBuffer.allocate(RandomHistory.BLOCK).put(page).flip())));
        for (int block = 0; block < found.length; block++) {
            Long expected = state.block(block);
            LayerBlock version = found[block];
            String at = where + ", block " + block;
            if (version == null) {
                missing++;
                assertThat(expected == null || (root && expected == 0)).as(at).isTrue();
            } else if (version.zero()) {
                assertThat(expected).as(at).isEqualTo(0L);
                assertThat(pages[block]).as(at).isNull();
            } else {
                assertThat(version.sequence()).as(at).isEqualTo(expected);
                assertThat(lsn == RandomHistory.HEAD || version.stamp() <= lsn)
                        .as(at)
                        .isTrue();
                byte[] content = RandomHistory.content(expected, block, history.bytesOf(expected, block));
                assertThat(pages[block]).as(at).isEqualTo(ByteBuffer.wrap(content));
                assertThat(version.layer().readPage(version)).as(at).isEqualTo(ByteBuffer.wrap(content));
                assertThat(version.layer().versions(path, block)).as(at).contains(version);
            }
        }
        if (!runs.isEmpty() && !runs.getFirst().isEmpty()) {
            assertThat(open).as(where).isEqualTo(missing);
        }
    }
}
