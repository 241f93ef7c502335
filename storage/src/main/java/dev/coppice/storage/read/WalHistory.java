package dev.coppice.storage.read;

import dev.coppice.common.Lsn;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.FrozenIndex;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.wal.CommitTimes;
import dev.coppice.storage.wal.ControlFile;
import dev.coppice.storage.wal.LsnRange;
import dev.coppice.storage.wal.Moment;
import dev.coppice.storage.wal.Moments;
import dev.coppice.storage.wal.NeededWal;
import dev.coppice.storage.wal.WalFormat;
import dev.coppice.storage.wal.WalScanner;
import dev.coppice.storage.wal.WalStore;
import dev.coppice.storage.wal.WalTail;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The record boundaries of one timeline's own WAL: its end, those between, and its commits. Thread-safe. */
public final class WalHistory {
    private final String name;
    private final TimelineHistory history;
    private final IndexedJournal journal;
    private final FileReader files;
    private final WalStore store;
    private final long ancestorLsn;
    private final WalTail tail;
    private final CommitTimes commitTimes;

    public WalHistory(TimelineHistory history, FileReader files, WalStore store, long ancestorLsn) {
        this.name = history.id().value();
        this.history = history;
        this.journal = history.journal();
        this.files = files;
        this.store = store;
        this.ancestorLsn = ancestorLsn;
        this.tail = new WalTail(store);
        this.commitTimes = new CommitTimes(store);
    }

    public WalStore store() {
        return store;
    }

    /**
     * The end of the last valid record; where the timeline begins when it never woke; 0 for a root without WAL. Cheap
     * when it was called before: it goes on from there.
     */
    public synchronized long end() {
        OptionalLong ended = journal.endStamp();
        if (ended.isPresent()) {
            if (!tail.isKnown()) {
                tail.startAt(ended.getAsLong());
            }
            return ended.getAsLong();
        }
        if (tail.isKnown()) {
            return tail.advance();
        }
        if (journal.firstSegment() == null) {
            return ancestorLsn;
        }
        journal.catchUp();
        Optional<ControlFile> control = control(TimelineIndex.HEAD);
        if (control.isEmpty()) {
            return ancestorLsn;
        }
        long redo = control.get().redo();
        if (Long.compareUnsigned(redo, ancestorLsn) > 0) {
            return endFrom(redo);
        }
        tail.startAt(ancestorLsn);
        return tail.advance();
    }

    /** The end of the last valid record as far as it was seen; 0 when it was not looked for. */
    public long knownEnd() {
        return tail.isKnown() ? tail.position() : 0;
    }

    /**
     * Where Postgres would begin to write on the image at {@code lsn}, when it was shut down cleanly: after the
     * checkpoint that the control file names. It reads nothing beyond, so WAL that a start wrote before it declared itself
     * running counts for nothing.
     */
    public OptionalLong cleanEnd(long lsn) {
        Optional<ControlFile> control = control(lsn);
        if (control.isEmpty() || control.get().state() != ControlFile.SHUT_DOWN) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(firstRecordAt(control.get().checkPoint()).position());
    }

    /**
     * Where the record of the checkpoint begins that the image at {@code lsn} was shut down with, which is all WAL that a start
     * from it reads.
     *
     * @throws StorageException when the image was not shut down cleanly exactly there
     */
    public long cleanCheckpoint(long lsn) {
        OptionalLong clean = cleanEnd(lsn);
        ControlFile control = control(lsn).orElse(null);
        if (control == null || clean.isEmpty() || clean.getAsLong() != lsn || control.redo() != control.checkPoint()) {
            throw new StorageException("timeline " + name + " was not shut down cleanly at " + new Lsn(lsn));
        }
        return control.checkPoint();
    }

    /**
     * The end of WAL of a timeline that nobody writes, with nothing left behind it.
     */
    public synchronized long settle() {
        // The control file decides below: an index that lags would still call a compute shut down that has committed
        // since.
        journal.catchUp();
        long end = end();
        OptionalLong clean = cleanEnd(TimelineIndex.HEAD);
        if (clean.isPresent() && Long.compareUnsigned(clean.getAsLong(), end) < 0) {
            store.erase(clean.getAsLong(), end);
            end = clean.getAsLong();
            tail.startAt(end);
        }
        tail.syncIfKnown(end);
        return end;
    }

    /**
     * The end of the last valid record, found from where recovery would begin.
     *
     * @throws StorageException when there is no record
     */
    public synchronized long endFrom(long redo) {
        firstRecordAt(redo);
        tail.startAt(redo);
        return tail.advance();
    }

    private WalScanner firstRecordAt(long lsn) {
        WalScanner scanner = new WalScanner(store, lsn, 0);
        if (!scanner.next()) {
            throw new StorageException(
                    "timeline " + name + ": there is no valid WAL record at the checkpoint " + new Lsn(lsn));
        }
        return scanner;
    }

    /** Makes WAL up to {@code end} durable. */
    public void sync(long end) {
        tail.syncIfKnown(end);
    }

    /** The control file as of an LSN; empty before initdb wrote one. */
    public Optional<ControlFile> control(long lsn) {
        return files.readFile(ControlFile.PATH, lsn).map(bytes -> ControlFile.parse(bytes, "timeline " + name));
    }

    /** Where this timeline's own history begins: its ancestor LSN, or the LSN of the import. */
    public long oldest() {
        if (ancestorLsn != 0) {
            return ancestorLsn;
        }
        OptionalLong stored = history.storedOldest();
        if (stored.isPresent()) {
            return stored.getAsLong();
        }
        JournalSegment first = journal.firstSegment();
        return first == null ? 0 : first.startMark();
    }

    /** From where on every own point can be read and all WAL is there; a boundary. */
    public long horizon() {
        long oldest = oldest();
        long horizon = history.horizon();
        return Lsn.max(horizon, oldest);
    }

    /**
     * Splits the journal at the end of valid WAL for a flush; see {@link IndexedJournal#freeze}. Holds this object while
     * the journal is locked, never the other way round.
     */
    public synchronized @Nullable FrozenIndex freeze() {
        end();
        return journal.freeze(() -> {
            long end = end();
            tail.syncIfKnown(end);
            return end;
        });
    }

    /**
     * The end of the last complete record at or before {@code lsn}, which lies between {@link #horizon} and {@link #end}.
     */
    public long boundaryAtOrBefore(long lsn) {
        int size = store.segmentSize();
        long oldest = horizon();
        long start = WalFormat.segmentStart(lsn, size);
        while (Long.compareUnsigned(start, oldest) > 0) {
            WalScanner scanner = WalScanner.atPage(store, start, lsn);
            if (scanner != null && Long.compareUnsigned(scanner.position(), lsn) <= 0) {
                return lastBoundary(scanner, lsn);
            }
            // One record covers the segment from its start to beyond the LSN.
            start -= size;
        }
        return lastBoundary(new WalScanner(store, oldest, 0), lsn);
    }

    private static long lastBoundary(WalScanner scanner, long lsn) {
        long boundary = scanner.position();
        while (scanner.next() && Long.compareUnsigned(scanner.position(), lsn) <= 0) {
            boundary = scanner.position();
        }
        return boundary;
    }

    /**
     * This timeline's own first commit later than {@code time}, up to {@code limit}; see {@link CommitTimes#find}.
     *
     * @param horizon from where its WAL is certainly there; below it only what pinned points need
     * @throws OutsideHistoryException when a commit below the horizon could be the one
     */
    public CommitTimes.Answer firstCommitAfter(Instant time, long limit, long horizon) {
        Moments known = history.moments();
        Optional<Moment> from = known.atOrBefore(time);
        long wanted = CommitTimes.toPostgres(time);
        if (from.isPresent()) {
            return Long.compareUnsigned(from.get().lsn().value(), limit) >= 0
                    ? new CommitTimes.Answer.NoneLater()
                    : commitTimes.find(wanted, from.get(), limit);
        }
        if (Long.compareUnsigned(horizon, oldest()) > 0) {
            Instant reached =
                    known.list().isEmpty() ? null : known.list().getFirst().time();
            throw new OutsideHistoryException(time + " is outside history, which reaches back to "
                    + (reached == null ? "LSN " + new Lsn(horizon) : reached));
        }
        return commitTimes.find(wanted, oldest(), limit);
    }

    /** Where recovery of the image at an LSN begins; where the timeline begins, when it has no control file yet. */
    Lsn redoAt(Lsn lsn) {
        return control(lsn.value()).map(control -> new Lsn(control.redo())).orElse(new Lsn(oldest()));
    }

    /**
     * Which WAL of this timeline somebody can still ask for.
     *
     * @param horizon where its own history begins
     * @param pins points that stay readable
     */
    public List<LsnRange> neededWal(Lsn horizon, Collection<Lsn> pins) {
        return NeededWal.of(horizon, pins, this::redoAt);
    }
}
