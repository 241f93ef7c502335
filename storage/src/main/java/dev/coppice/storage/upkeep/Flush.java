package dev.coppice.storage.upkeep;

import dev.coppice.common.Lsn;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.FileEventKind;
import dev.coppice.storage.index.FrozenIndex;
import dev.coppice.storage.index.IndexExport;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.JournalPosition;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layer.LayerWriter;
import dev.coppice.storage.layer.format.PathOrder;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerKind;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tail of one timeline's journal into a layer. One flush at a time; reads, branch points and the compute go on
 * meanwhile.
 *
 * <p>Crash argument. The fence is durable before the layer, the layer before the manifest that lists it, the manifest
 * before the journal is freed. Without the manifest the layer is a stray and the journal has everything; with it the
 * journal is read from behind the flushed part, whether that was freed or not.
 */
public final class Flush {
    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    private final TimelineHistory history;
    private final IndexedJournal journal;
    private final Supplier<@Nullable FrozenIndex> freeze;
    private final LongSupplier oldest;
    private final LongSupplier endOfWal;

    /** Also held by whoever removes layers that no manifest lists. */
    private final ReentrantLock lock = new ReentrantLock();

    /**
     * @param freeze splits the journal; null when there is nothing to flush
     * @param oldest where the timeline's own history begins
     * @param endOfWal the end of valid WAL
     */
    public Flush(
            TimelineHistory history,
            Supplier<@Nullable FrozenIndex> freeze,
            LongSupplier oldest,
            LongSupplier endOfWal) {
        this.history = history;
        this.journal = history.journal();
        this.freeze = freeze;
        this.oldest = oldest;
        this.endOfWal = endOfWal;
    }

    /** Excludes flushes while it is held. */
    ReentrantLock lock() {
        return lock;
    }

    public void run() {
        lock.lock();
        try {
            history.refuseWhenLost();
            FrozenIndex failed = journal.frozen();
            if (failed != null) {
                write(failed);
            }
            // What is durable already need not be made so under the locks that branch points wait for.
            journal.syncNewest();
            FrozenIndex frozen = freeze.get();
            if (frozen != null) {
                write(frozen);
            }
        } finally {
            lock.unlock();
        }
    }

    private void write(FrozenIndex frozen) {
        JournalPosition from = history.flushed();
        if (isBehind(from, frozen.end())) {
            Lsn end = new Lsn(endOfWal.getAsLong());
            history.addMoment(Instant.now(), end);
            List<LayerDescriptor> made = frozen.index().isEmpty() ? List.of() : writeLayer(frozen, from);
            history.replaceManifest(
                    new Lsn(oldest.getAsLong()),
                    change -> new TimelineHistory.Change(
                            frozen.end(),
                            concatenated(change.layers(), made),
                            change.horizon(),
                            concatenated(change.damage(), frozen.index().damage())));
        }
        journal.release(frozen);
        journal.free(frozen.end());
    }

    private static boolean isBehind(JournalPosition a, JournalPosition b) {
        return a.epoch() < b.epoch() || (a.epoch() == b.epoch() && a.offset() < b.offset());
    }

    private List<LayerDescriptor> writeLayer(FrozenIndex frozen, JournalPosition from) {
        long first = TimelineIndex.sequence(from.epoch(), from.offset());
        long last = TimelineIndex.sequence(frozen.end().epoch(), frozen.end().offset()) - 1;
        StorageResources resources = history.resources();
        try (LayerWriter writer =
                new LayerWriter(resources.layers(), history.id(), LayerKind.DELTA, first, last, resources.writes())) {
            frozen.index().export(PathOrder.COMPARATOR, new LayerExport(writer));
            return writer.finish();
        }
    }

    private static <T> List<T> concatenated(List<T> older, List<T> newer) {
        List<T> all = new ArrayList<>(older);
        all.addAll(newer);
        return all;
    }

    /** Reads the pages that an index names and hands them to a writer. */
    private static final class LayerExport implements IndexExport {
        private final LayerWriter writer;
        private String path = "";
        private int entrySize;
        private @Nullable JournalSegment wholeSegment;
        private long wholePosition;
        private ByteBuffer whole = ByteBuffer.allocate(0);

        LayerExport(LayerWriter writer) {
            this.writer = writer;
        }

        @Override
        public void beginPath(String next) {
            path = next;
            entrySize = JournalSegment.maxPageEntrySize(next);
            writer.beginFile(next);
        }

        @Override
        public void event(FileEventKind kind, long stamp, long sequence, long size) {
            writer.event(kind, stamp, sequence, size);
        }

        @Override
        public void zero(long block, long stamp, long sequence) {
            writer.zero(block, stamp, sequence);
        }

        @Override
        public void page(
                long block, long stamp, long sequence, JournalSegment segment, long position, boolean isWhole) {
            if (isWhole) {
                if (segment != wholeSegment || position != wholePosition) {
                    whole = segment.readData(position, path);
                    wholeSegment = segment;
                    wholePosition = position;
                }
                int from = (int) (block * BLOCK);
                writer.page(block, stamp, sequence, whole.slice(from, Math.min(BLOCK, whole.limit() - from)));
            } else {
                ByteBuffer entry = segment.readSpan(position, entrySize);
                writer.page(block, stamp, sequence, segment.verifiedData(entry, 0, position, path));
            }
        }
    }
}
