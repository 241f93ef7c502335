package dev.coppice.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.layout.BranchPoint;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.NullUnmarked;

/**
 * One timeline beside its model. It writes as a compute would, in bursts: entries of a burst may be stamped out of order,
 * but between two bursts lies a record boundary at which the image is certain, whatever fences were written meanwhile.
 */
@NullUnmarked
final class ModelTimeline {
    private static final int BLOCK = Timeline.BLOCK_SIZE;
    private static final List<String> PAGED =
            List.of("base/5/16384", "base/5/16384_fsm", "base/5/16384.1", "base/5/2619", "global/1262", "pg_xact/0000");
    private static final List<String> WHOLE =
            List.of("pg_logical/replorigin_checkpoint", "base/5/pg_filenode.map", "global/pg_filenode.map");
    private static final List<String> DIRECTORIES = List.of("base/6", "base/7", "pg_logical/snapshots");

    /** A certain image, and when it was made. */
    record Boundary(ModelImage image, Instant made) {}

    final TimelineId id;
    final ModelTimeline parent;
    final long ancestorLsn;
    final TreeMap<Long, Boundary> boundaries = new TreeMap<>();
    ModelImage image;
    Duration retention;
    long knownHorizon;

    /** Where the record begins that ends at the key. */
    private final TreeMap<Long, Long> records = new TreeMap<>();

    private final Random random;
    private long firstOwnLsn;
    private SyntheticWal wal;
    private Journaling journal;
    private Path archive;

    ModelTimeline(TimelineId id, ModelTimeline parent, long ancestorLsn, ModelImage image, Random random) {
        this.id = id;
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
        this.image = image;
        this.random = random;
        this.firstOwnLsn = ancestorLsn;
    }

    /** A root has the end of its import as its first boundary's predecessor. */
    void imported(long checkpointStart, long end) {
        firstOwnLsn = end;
        records.put(end, checkpointStart);
    }

    boolean running() {
        return wal != null;
    }

    void start(Timeline timeline) {
        timeline.beginEpoch(RealPostgres.owner());
        long end = timeline.endOfWal().value();
        long expected = records.isEmpty() ? ancestorLsn : records.lastKey();
        assertThat(end).as("end of WAL of " + id).isEqualTo(expected);
        adopt(timeline);
        // The control file of before says that the cluster was shut down, or is a copy of the parent's.
        if (image.files.get("global/pg_control") != null && end == firstOwnLsn) {
            journal.mark = wal.position() + 1;
            control(6, wal.lastStart());
        }
    }

    /** Goes on writing to the open epoch, as a compute does that outlives a server. */
    void adopt(Timeline timeline) {
        wal = new SyntheticWal(timeline.layout().wal(), timeline.endOfWal().value(), startOfRecordEndingAt(end()));
        archive = timeline.layout().finishedWal();
        journal = Journaling.to(timeline);
    }

    void stop(Timeline timeline) {
        timeline.endEpoch();
        wal = null;
        journal = null;
    }

    private long end() {
        return records.isEmpty() ? ancestorLsn : records.lastKey();
    }

    long startOfRecordEndingAt(long lsn) {
        Long start = records.get(lsn);
        return start != null ? start : parent.startOfRecordEndingAt(lsn);
    }

    private void record() {
        switch (random.nextInt(4)) {
            case 0 -> wal.commit(Instant.now());
            case 1 -> wal.filler(random.nextInt(60_000));
            default -> wal.filler(random.nextInt(300));
        }
        records.put(wal.position(), wal.lastStart());
    }

    /** Moves WAL on; afterwards its end is a boundary. */
    long quiet() {
        record();
        boundaries.put(wal.position(), new Boundary(image, Instant.now()));
        return wal.position();
    }

    void burst() {
        quiet();
        image = image.copy();
        long after = wal.position();
        record();
        for (int i = random.nextInt(30); i >= 0; i--) {
            if (random.nextInt(5) == 0) {
                record();
            }
            // Processes read the mark before they append, so stamps come out of order.
            List<Long> ends = new ArrayList<>(records.tailMap(after, false).keySet());
            journal.mark = ends.get(random.nextInt(ends.size()));
            write();
        }
        journal.mark = wal.position();
    }

    void checkpoint() {
        quiet();
        image = image.copy();
        long redo = wal.lastStart();
        record();
        wal.checkpoint();
        records.put(wal.position(), wal.lastStart());
        journal.mark = wal.position();
        control(6, redo);
        wal.archiveBefore(redo, archive);
    }

    private void control(int state, long redo) {
        byte[] control = SyntheticWal.control(state, wal.lastStart(), redo);
        journal.put("global/pg_control", control);
        image = image.copy();
        ModelImage.File file = image.replace("global/pg_control");
        file.size = control.length;
        file.whole = control;
    }

    private void write() {
        String path = PAGED.get(random.nextInt(PAGED.size()));
        // Mostly near the beginning, sometimes far out, where files have holes.
        long block = random.nextInt(random.nextInt(12) == 0 ? 300 : 12);
        switch (random.nextInt(24)) {
            case 0, 1 -> {
                long length = random.nextInt(5) * (long) BLOCK;
                journal.append(EntryType.ZERO, path, block * BLOCK, length);
                image.zero(path, block * BLOCK, length);
            }
            case 2, 3 -> {
                long size = block * BLOCK + random.nextInt(BLOCK);
                journal.append(EntryType.EXTEND, path, size, 0);
                image.extend(path, size);
            }
            case 4 -> truncate(path);
            case 5 -> {
                journal.append(EntryType.CREATE, path, 0, 0);
                image.replace(path);
            }
            case 6 -> {
                journal.append(EntryType.UNLINK, path, 0, 0);
                image.files.remove(path);
            }
            case 7, 8 -> put(WHOLE.get(random.nextInt(WHOLE.size())));
            case 9 -> rename();
            case 10 -> {
                String directory = DIRECTORIES.get(random.nextInt(DIRECTORIES.size()));
                boolean there = image.directories.contains(directory);
                journal.append(there ? EntryType.RMDIR : EntryType.MKDIR, directory, 0, 0);
                if (there) {
                    image.directories.remove(directory);
                } else {
                    image.directories.add(directory);
                }
            }
            case 11 -> journal.tornPage(path, block, new byte[BLOCK], 1 + random.nextInt(BLOCK));
            case 12 -> page(path, block, 1 + random.nextInt(BLOCK));
            default -> page(path, block, BLOCK);
        }
    }

    private void page(String path, long block, int length) {
        ModelImage.Content content = new ModelImage.Content(random.nextLong(), length);
        journal.page(path, block, content.exactBytes());
        image.page(path, block, content);
    }

    private void truncate(String path) {
        long size = random.nextInt(8) * (long) BLOCK + (random.nextBoolean() ? 0 : random.nextInt(BLOCK));
        journal.append(EntryType.TRUNCATE, path, size, 0);
        image.truncate(path, size);
        if (size % BLOCK != 0) {
            page(path, size / BLOCK, (int) (size % BLOCK));
        }
    }

    private void put(String path) {
        int size = random.nextInt(3 * BLOCK);
        ModelImage.File file = image.replace(path);
        ByteBuffer content = ByteBuffer.allocate(size);
        file.size = size;
        for (long block = 0; block * BLOCK < size; block++) {
            int length = (int) Math.min(BLOCK, size - block * BLOCK);
            ModelImage.Content page = new ModelImage.Content(random.nextLong(), length);
            file.blocks.put(block, page);
            content.put(page.exactBytes());
        }
        journal.put(path, content.array());
    }

    /** As the interposer journals it: the whole content under the new name, then the old name goes. */
    private void rename() {
        String path = WHOLE.get(random.nextInt(WHOLE.size()));
        put(path);
        journal.append(EntryType.UNLINK, path + "~", 0, 0);
        image.files.remove(path + "~");
    }

    /** Every path that may ever have existed. */
    static List<String> paths() {
        List<String> paths = new ArrayList<>(PAGED);
        paths.addAll(WHOLE);
        paths.add("global/pg_control");
        paths.add("PG_VERSION");
        return paths;
    }

    BranchPoint at(long lsn) {
        return new BranchPoint(id, new Lsn(lsn));
    }
}
