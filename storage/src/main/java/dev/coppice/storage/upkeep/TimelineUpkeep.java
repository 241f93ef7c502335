package dev.coppice.storage.upkeep;

import dev.coppice.common.Lsn;
import dev.coppice.common.config.StorageConfiguration;
import dev.coppice.storage.history.BackPressure;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.io.FileSpace;
import dev.coppice.storage.layout.TimelineLayout;
import dev.coppice.storage.read.FileReader;
import dev.coppice.storage.read.WalHistory;
import dev.coppice.storage.timeline.Epochs;
import dev.coppice.storage.wal.WalSize;
import java.time.Instant;

/** What one timeline needs done besides being read and written: flushes, merges, collections; and what it occupies. */
public final class TimelineUpkeep {
    private static final long MEGABYTE = 1 << 20;

    /** So many times more WAL than journal may come together before a flush. */
    private static final int WAL_PER_JOURNAL = 4;

    /** Between two moments while a compute writes, in nanoseconds. */
    private static final long MOMENT_INTERVAL = 60_000_000_000L;

    private final TimelineLayout layout;
    private final TimelineHistory history;
    private final IndexedJournal journal;
    private final FileReader files;
    private final WalHistory wal;
    private final Epochs epochs;
    private final Flush flush;
    private final Compaction compaction;

    /** When the last moment was noted, by {@link System#nanoTime}. */
    private volatile long momentAt = System.nanoTime() - MOMENT_INTERVAL;

    public TimelineUpkeep(
            TimelineLayout layout, TimelineHistory history, FileReader files, WalHistory wal, Epochs epochs) {
        this.layout = layout;
        this.history = history;
        this.journal = history.journal();
        this.files = files;
        this.wal = wal;
        this.epochs = epochs;
        this.flush = new Flush(history, epochs::freeze, wal::oldest, wal::end);
        this.compaction =
                new Compaction(history, wal, flush, files::isAbsentInParent, this::historyBytes, epochs::startable);
    }

    public void flush() {
        flush.run();
    }

    /** Whether the journal is large enough for a layer; cheap. */
    public boolean wantsFlush() {
        if (!journal.isLoaded() || history.isClosed()) {
            return false;
        }
        StorageConfiguration configuration = history.resources().configuration();
        long threshold = configuration.flushJournalMegabytes() * MEGABYTE;
        return journal.unflushedBytes() >= threshold
                || journal.unflushedSegments() > configuration.flushEpochs()
                || (journal.unflushedBytes() > MEGABYTE
                        && history.resources().backPressure().isIndexLarge())
                || (journal.unflushedBytes() > 0 && unflushedWal() >= threshold * WAL_PER_JOURNAL);
    }

    private long unflushedWal() {
        return Lsn.distance(Lsn.max(history.flushed().stamp(), wal.oldest()), wal.knownEnd());
    }

    /** How long a writer is to wait before each page, in microseconds. */
    public int writeDelayMicroseconds() {
        return history.isClosed()
                ? 0
                : history.resources().backPressure().microseconds(journal.backlogBytes(), unflushedWal());
    }

    /** See {@link BackPressure#note}. */
    public void notePressure() {
        history.resources()
                .backPressure()
                .note(history.id(), writeDelayMicroseconds(), journal.backlogBytes(), unflushedWal());
    }

    public boolean wantsCompaction() {
        return !history.isClosed() && compaction.isWorthwhile();
    }

    /** @param pausing whether others shall have the machine half of the time */
    public void compact(boolean pausing) {
        compaction.compact(mergeWrites(pausing));
    }

    /** Flushes, and collects all that can be. */
    public GarbageCollection collectGarbage() {
        flush();
        return compaction.collectAll(mergeWrites(false));
    }

    /** Collects what is worth it, and merges. */
    public void collectInBackground() {
        compaction.collectSome(mergeWrites(true));
        if (wantsCompaction()) {
            compact(true);
        }
    }

    private MergeWrites mergeWrites(boolean pausing) {
        return new MergeWrites(
                history.resources().writes(),
                pausing,
                () -> history.isClosed() || history.resources().isClosed());
    }

    /** @return whether there may be more to compress */
    public boolean compressWal(Instant notWrittenSince, int most) {
        return wal.store().compressCold(notWrittenSince, most).segments() == most;
    }

    public void unloadIfIdle() {
        history.unloadIfIdle();
    }

    public boolean isClosed() {
        return history.isClosed();
    }

    /** Writes nothing any more, by itself or when it is asked to. */
    public void refuse() {
        history.close();
    }

    /** Stops background work for good, waits for what is going on, and does {@code last}. */
    public void close(Runnable last) {
        history.close();
        still(last);
    }

    /** Does something while nothing is flushed, merged or collected; waits for what is going on. */
    public void still(Runnable action) {
        compaction.lock().lock();
        flush.lock().lock();
        try {
            action.run();
        } finally {
            flush.lock().unlock();
            compaction.lock().unlock();
        }
    }

    /** Notes where the WAL ends now, when the last time noted is long ago. */
    public void noteMoment(boolean atOnce) {
        if (atOnce || System.nanoTime() - momentAt >= MOMENT_INTERVAL) {
            Lsn end = new Lsn(wal.end());
            // While a compute is just starting, its WAL may be taken back.
            if (!end.equals(Lsn.ZERO) && epochs.startable(end.value()) == end.value()) {
                momentAt = System.nanoTime();
                history.addMoment(Instant.now(), end);
            }
        }
    }

    public TimelineSize size() {
        WalSize walSize = wal.store().size();
        return new TimelineSize(
                files.logicalBytes(TimelineIndex.HEAD),
                layerBytes(),
                journalBytes(),
                walSize.live(),
                walSize.archive(),
                FileSpace.allocatedBelow(layout.local()));
    }

    /** What history occupies. */
    private long historyBytes() {
        return layerBytes() + journalBytes() + wal.store().size().archive();
    }

    private long layerBytes() {
        return FileSpace.allocatedBelow(layout.layers());
    }

    private long journalBytes() {
        return FileSpace.allocatedBelow(layout.journal());
    }
}
