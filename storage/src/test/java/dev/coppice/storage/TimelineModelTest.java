package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.history.LayerRun;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.journal.EntryCodec;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layer.RetainedPoints;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.read.FileReader;
import dev.coppice.storage.upkeep.Flush;
import dev.coppice.storage.upkeep.LayerMerge;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.RepeatedTest;

/** Random histories over a tree of timelines, compared with a naive replay: at the head, at random LSNs, after a reopen. */
@NullUnmarked
class TimelineModelTest {
    private static final int BLOCK = Timeline.BLOCK_SIZE;
    private static final int ROUNDS = 60;
    private static final List<String> FILES =
            List.of("base/5/1", "base/5/2", "base/5/2_fsm", "global/pg_control", "pg_replslot/s/state", "PG_VERSION");
    private static final List<String> DIRECTORIES = List.of("base", "base/5", "global", "pg_replslot", "pg_replslot/s");

    /** A real timeline's reading half beside its model. */
    private final class Pair {
        final Path directory;
        final TimelineId id;
        final Pair parent;
        final NaiveTimeline model;
        TimelineHistory history;
        IndexedJournal journal;
        FileReader files;
        Flush flush;
        LayerMerge merge;
        long horizon;
        long flushStamp;
        JournalSegment segment;
        long mark;

        Pair(TimelineId id, Pair parent, long ancestorLsn) throws IOException {
            this.id = id;
            this.parent = parent;
            this.model = new NaiveTimeline(parent == null ? null : parent.model, ancestorLsn);
            this.directory = Files.createDirectory(root.path().resolve(id.value()));
            this.mark = ancestorLsn;
            open();
        }

        void open() {
            history = new TimelineHistory(id, directory, resources);
            journal = history.journal();
            files = new FileReader(history, parent == null ? null : parent.files, model.ancestorLsn);
            flush = new Flush(
                    history, () -> journal.freeze(() -> flushStamp), () -> model.ancestorLsn, () -> flushStamp);
            merge = new LayerMerge(history, () -> model.ancestorLsn, files::isAbsentInParent);
        }

        /** Whether what the timeline was at an LSN must still be known. */
        boolean retains(long lsn) {
            if (parent != null && lsn < model.ancestorLsn) {
                return parent.retains(lsn);
            }
            return lsn >= horizon || pins().contains(new Lsn(lsn));
        }

        Collection<Lsn> pins() {
            return resources.retention().pins(id);
        }
    }

    private final TestDirectory root = new TestDirectory();
    private final StorageResources resources =
            StorageResources.of(root.path(), StorageConfiguration.DEFAULTS, FileWrites.DIRECT);
    private final List<Pair> pairs = new ArrayList<>();
    private Random random;

    @RepeatedTest(4)
    void answers_as_a_naive_replay_does() throws IOException {
        long seed = Long.getLong("coppice.seed", System.nanoTime());
        try (root;
                OpenFiles _ = resources.files()) {
            random = new Random(seed);
            pairs.add(new Pair(new TimelineId("root"), null, 0));
            for (int round = 0; round < ROUNDS; round++) {
                Pair pair = pairs.get(random.nextInt(pairs.size()));
                for (int i = random.nextInt(25); i >= 0; i--) {
                    step(pair);
                }
                if (random.nextInt(8) == 0 && pairs.size() < 8) {
                    branch(pair);
                }
                reorganise(pair);
                pair.journal.catchUp();
                compare(seed);
            }
            pairs.forEach(Pair::open);
            for (int i = 0; i < 5; i++) {
                compare(seed);
            }
        } catch (RuntimeException e) {
            throw new AssertionError("-Dcoppice.seed=" + seed, e);
        }
    }

    private void branch(Pair pair) throws IOException {
        long lsn = pair.model.ancestorLsn + random.nextLong(pair.mark - pair.model.ancestorLsn + 1);
        if (pair.retains(lsn)) {
            TimelineId id = new TimelineId("t" + pairs.size());
            pairs.add(new Pair(id, pair, lsn));
            resources.retention().add(id, new BranchPoint(pair.id, new Lsn(lsn)));
        }
    }

    /** What background work does, and restarts. */
    private void reorganise(Pair pair) {
        if (pair.segment != null && random.nextInt(3) == 0) {
            flush(pair);
        }
        List<LayerRun> runs = pair.merge.runs();
        if (runs.size() > 1 && random.nextInt(6) == 0) {
            int from = random.nextInt(runs.size() - 1);
            int to = from + 2 + random.nextInt(runs.size() - from - 1);
            pair.merge.run(runs.subList(from, to), retained(pair), FileWrites.DIRECT);
        }
        if (!runs.isEmpty() && random.nextInt(6) == 0) {
            pair.horizon = Math.max(pair.horizon, random.nextLong(pair.mark + 1));
            pair.history.advanceHorizon(pair.horizon);
            pair.history.replaceManifest(new Lsn(pair.model.ancestorLsn), change -> change);
            pair.merge.run(pair.merge.runs(), retained(pair), FileWrites.DIRECT);
        }
        if (random.nextInt(10) == 0) {
            pairs.forEach(Pair::open);
        }
    }

    private static RetainedPoints retained(Pair pair) {
        return new RetainedPoints(pair.history.storedHorizon(), pair.pins());
    }

    /** As {@link #fence}, and the journal before it becomes a layer. */
    private void flush(Pair pair) {
        long offset = pair.journal.catchUp();
        boolean split = pair.journal.unflushedBytes() > 0 || pair.journal.unflushedSegments() > 1;
        pair.flushStamp = Math.max(lastFence(pair), pair.mark - random.nextInt(20));
        if (split) {
            pair.model.fences.add(new NaiveTimeline.Fence(pair.segment.epoch(), offset, pair.flushStamp));
        }
        pair.flush.run();
        assertThat(pair.journal.unflushedBytes()).isZero();
    }

    private void step(Pair pair) {
        if (pair.segment == null || random.nextInt(60) == 0) {
            newEpoch(pair);
        }
        int what = random.nextInt(100);
        String path = FILES.get(random.nextInt(FILES.size()));
        long block = random.nextInt(random.nextInt(10) == 0 ? 400 : 6);
        pair.mark += random.nextInt(3) == 0 ? random.nextInt(40) : 0;
        if (what < 50) {
            byte[] data = bytes(random.nextInt(5) == 0 ? 1 + random.nextInt(BLOCK) : BLOCK);
            append(pair, EntryType.PAGE, path, block * BLOCK, 0, data);
        } else if (what < 58) {
            append(pair, EntryType.ZERO, path, block * BLOCK, random.nextInt(4) * (long) BLOCK);
        } else if (what < 66) {
            append(pair, EntryType.EXTEND, path, block * BLOCK + random.nextInt(BLOCK), 0);
        } else if (what < 74) {
            append(pair, EntryType.TRUNCATE, path, random.nextInt(6) * (long) BLOCK, 0);
        } else if (what < 78) {
            append(pair, EntryType.CREATE, path, 0, 0);
        } else if (what < 82) {
            append(pair, EntryType.UNLINK, path, 0, 0);
        } else if (what < 87) {
            append(pair, EntryType.PUT, path, 0, 0, bytes(random.nextInt(3 * BLOCK)));
        } else if (what < 91) {
            append(pair, EntryType.MKDIR, DIRECTORIES.get(random.nextInt(DIRECTORIES.size())), 0, 0);
        } else if (what < 93) {
            append(pair, EntryType.RMDIR, DIRECTORIES.get(random.nextInt(DIRECTORIES.size())), 0, 0);
        } else if (what < 96) {
            // What a killed process leaves is the beginning of an entry.
            pair.segment.append(EntryCodec.encode(
                            EntryType.PAGE, path, pair.mark, 0, 0, pair.segment.epoch(), ByteBuffer.wrap(bytes(BLOCK)))
                    .limit(1 + random.nextInt(200)));
        } else {
            fence(pair);
        }
    }

    private void newEpoch(Pair pair) {
        if (pair.segment != null) {
            long end = pair.mark - random.nextInt(20);
            end = Math.max(end, lastFence(pair));
            long offset = pair.segment.size();
            pair.journal.end(end);
            pair.model.fences.add(new NaiveTimeline.Fence(pair.segment.epoch(), offset, end));
            pair.mark = Math.max(end, pair.model.startMarks.get(pair.segment.epoch()));
        }
        long start = pair.mark + 1;
        pair.mark = start;
        pair.segment = pair.journal.begin(start);
        pair.model.startMarks.put(pair.segment.epoch(), start);
    }

    private void fence(Pair pair) {
        long offset = pair.journal.catchUp();
        long stamp = Math.max(lastFence(pair), pair.mark - random.nextInt(20));
        pair.journal.fence(stamp, offset);
        pair.model.fences.add(new NaiveTimeline.Fence(pair.segment.epoch(), offset, stamp));
    }

    /** Fences never descend; the start of the epoch counts as one. */
    private long lastFence(Pair pair) {
        return pair.model.fences.stream()
                .filter(fence -> fence.epoch() == pair.segment.epoch())
                .mapToLong(NaiveTimeline.Fence::stamp)
                .max()
                .orElse(pair.model.startMarks.get(pair.segment.epoch()) - 1);
    }

    private void append(Pair pair, EntryType type, String path, long offset, long length, byte... data) {
        // Processes read the mark before they append, so stamps come slightly out of order.
        long stamp = Math.max(pair.model.startMarks.get(pair.segment.epoch()), pair.mark - random.nextInt(6));
        long position = pair.segment.size();
        int epoch = pair.segment.epoch();
        pair.segment.append(EntryCodec.encode(type, path, stamp, offset, length, epoch, ByteBuffer.wrap(data)));
        pair.model.entries.add(new NaiveTimeline.Entry(epoch, position, type, path, stamp, offset, length, data));
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private void compare(long seed) {
        Pair pair = pairs.get(random.nextInt(pairs.size()));
        for (int i = 0; i < 3; i++) {
            boolean head = i == 0;
            long lsn = head ? TimelineIndex.HEAD : random.nextLong(pair.mark + 2);
            if (!head && !pair.retains(lsn)) {
                continue;
            }
            NaiveTimeline.Image image = pair.model.at(head ? Long.MAX_VALUE : lsn);
            String where = "-Dcoppice.seed=" + seed + ", " + pair.id + " at " + lsn;
            for (String path : FILES) {
                compareFile(pair.files, path, lsn, image, where + ", " + path);
            }
            assertThat(pair.files.directories(lsn)).as(where).containsExactlyElementsOf(image.directories);
            for (String directory : image.directories) {
                compareList(pair.files, directory, lsn, image, where + ", list of " + directory);
            }
        }
    }

    private static void compareFile(FileReader files, String path, long lsn, NaiveTimeline.Image image, String where) {
        NaiveTimeline.File expected = image.files.get(path);
        Map<Long, byte[]> pages = new TreeMap<>();
        PageConsumer consumer = new PageConsumer() {
            @Override
            public void zero(long block) {
                pages.put(block, new byte[BLOCK]);
            }

            @Override
            public void page(long block, long stamp, ByteBuffer page) {
                byte[] copy = new byte[BLOCK];
                page.get(copy);
                assertThat(lsn == TimelineIndex.HEAD || stamp <= lsn).as(where).isTrue();
                pages.put(block, copy);
            }
        };
        if (expected == null) {
            assertThat(files.stat(path, lsn)).as(where).isEqualTo(FileStatus.ABSENT);
            assertThat(files.readPages(path, 0, 1, lsn, consumer)).as(where).isFalse();
            return;
        }
        assertThat(files.stat(path, lsn)).as(where).isEqualTo(FileStatus.file(expected.size));
        int count = (int) (expected.size / BLOCK) + 2;
        assertThat(files.readPages(path, 0, count, lsn, consumer)).isTrue();
        assertThat(pages).hasSize(count);
        pages.forEach((block, page) -> assertThat(page)
                .as(where + ", block " + block)
                .isEqualTo(expected.blocks.getOrDefault(block, new byte[BLOCK])));
        byte[] whole = files.readFile(path, lsn).orElseThrow();
        assertThat(whole.length).as(where).isEqualTo((int) expected.size);
    }

    private static void compareList(
            FileReader files, String directory, long lsn, NaiveTimeline.Image image, String where) {
        List<DirectoryEntry> expected = new ArrayList<>();
        image.files.keySet().stream()
                .filter(path -> isIn(directory, path))
                .forEach(path -> expected.add(new DirectoryEntry(name(path), FileKind.FILE)));
        image.directories.stream()
                .filter(path -> isIn(directory, path))
                .forEach(path -> expected.add(new DirectoryEntry(name(path), FileKind.DIRECTORY)));
        expected.sort((a, b) -> a.name().compareTo(b.name()));
        assertThat(files.list(directory, lsn).orElseThrow()).as(where).isEqualTo(expected);
    }

    private static boolean isIn(String directory, String path) {
        return path.startsWith(directory + "/") && path.indexOf('/', directory.length() + 1) < 0;
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
