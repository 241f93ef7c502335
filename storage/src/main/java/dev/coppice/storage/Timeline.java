package dev.coppice.storage;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.boundary.Boundary;
import dev.coppice.storage.boundary.BoundaryGate;
import dev.coppice.storage.fault.BoundaryException;
import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.fault.EpochRunningException;
import dev.coppice.storage.fault.NoSuchFileInTimelineException;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileStatus;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.file.PageVersion;
import dev.coppice.storage.file.TimelineFiles;
import dev.coppice.storage.history.StorageResources;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.importing.TimelineImport;
import dev.coppice.storage.index.IndexedJournal;
import dev.coppice.storage.index.TimelineIndex;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.layer.LayerCaches;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.layout.TimelineLayout;
import dev.coppice.storage.layout.TimelineMetadata;
import dev.coppice.storage.read.BlockVersions;
import dev.coppice.storage.read.FileReader;
import dev.coppice.storage.read.WalHistory;
import dev.coppice.storage.timeline.BranchPoints;
import dev.coppice.storage.timeline.Epoch;
import dev.coppice.storage.timeline.Epochs;
import dev.coppice.storage.timeline.FileOwner;
import dev.coppice.storage.timeline.WriterLock;
import dev.coppice.storage.upkeep.TimelineSize;
import dev.coppice.storage.upkeep.TimelineUpkeep;
import dev.coppice.storage.verify.Subject;
import dev.coppice.storage.wal.CheckpointWal;
import dev.coppice.storage.wal.LocalWalStore;
import dev.coppice.storage.wal.UnwrittenWal;
import dev.coppice.storage.wal.WalSource;
import dev.coppice.storage.wal.WalStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One timeline: its files as of any LSN, its WAL, its branch points and its epochs. Thread-safe.
 *
 * <p>Paths are relative to the data directory, {@code /}-separated, {@code ""} for the data directory itself. Reads
 * without an LSN are of the head; {@code stat}, {@code readFile} and {@code list} at the head reflect everything that is
 * in the journal when they are called. All may throw {@link StorageException} and {@link ChecksumMismatchException}.
 */
public final class Timeline {
    /** A block, in bytes. */
    public static final int BLOCK_SIZE = TimelineFiles.BLOCK_SIZE;

    private static final long HEAD = TimelineIndex.HEAD;

    private static final long MEGABYTE = 1 << 20;

    /**
     * The most ancestors that a timeline may have. A read of what nobody in the chain has changed asks each of them: with a few
     * thousand that takes milliseconds, and the first read of each loads an index.
     */
    public static final int MAX_DEPTH = 4_096;

    private final TimelineMetadata metadata;
    private final TimelineLayout layout;
    private final WriterLock writerLock;
    private final TimelineHistory history;
    private final IndexedJournal journal;
    private final FileReader files;
    private final WalHistory wal;
    private final BranchPoints branchPoints;
    private final Epochs epochs;
    private final TimelineUpkeep upkeep;

    private final @Nullable Timeline parent;
    private final int depth;
    private final @Nullable BoundaryGate boundary;

    /** Following the journal keeps a busy timeline cheap to branch. */
    private volatile boolean followed;

    /** @param parent the timeline that the metadata names, or null for a root */
    Timeline(TimelineMetadata metadata, TimelineLayout layout, @Nullable Timeline parent, StorageResources resources) {
        BranchPoint ancestor = metadata.ancestor();
        long ancestorLsn = ancestor == null ? 0 : ancestor.lsn().value();
        this.metadata = metadata;
        this.layout = layout;
        this.parent = parent;
        this.depth = parent == null ? 0 : parent.depth + 1;
        writerLock = new WriterLock(layout.writerLock());
        history = new TimelineHistory(metadata.id(), layout.journal(), resources);
        journal = history.journal();
        boundary = resources.boundaries().gate(metadata);
        files = new FileReader(history, parent == null ? null : parent.files, ancestorLsn, boundary);
        WalStore store = new LocalWalStore(
                layout.wal(),
                layout.finishedWal(),
                layout.walArchive(),
                parent == null ? null : inheritedWal(parent, ancestorLsn),
                ancestorLsn,
                resources.files());
        wal = new WalHistory(history, files, store, ancestorLsn);
        epochs = new Epochs(metadata, layout, journal, wal, writerLock);
        BranchPoints reachable = boundary == null && parent != null ? parent.branchPoints : null;
        branchPoints = new BranchPoints(metadata, reachable, history, wal, epochs, resources.retention());
        upkeep = new TimelineUpkeep(layout, history, files, wal, epochs);
    }

    private WalSource inheritedWal(Timeline from, long ancestorLsn) {
        BoundaryGate gate = boundary;
        return gate == null
                ? from.wal.store()
                : new CheckpointWal(from.wal.store(), () -> cleanCheckpoint(from, gate, ancestorLsn), ancestorLsn);
    }

    private static long cleanCheckpoint(Timeline from, BoundaryGate gate, long lsn) {
        gate.check();
        return from.wal.cleanCheckpoint(lsn);
    }

    /** Whether it reads its parent through a {@link Boundary}, and has no history before it began. */
    public boolean hasBoundary() {
        return boundary != null;
    }

    /**
     * Shows nothing of its parent any more, to whoever reads through this timeline, and lets no compute start, until the page service is
     * opened again. For a timeline that others know to be anonymized, or not to be, against what its own files say.
     *
     * @param reason what is wrong and what to do, as a sentence without its full stop
     */
    public void lock(String reason) {
        files.refuseParent(reason);
    }

    /**
     * Looks at whatever hides originals from it.
     *
     * @throws BoundaryException when it, or a timeline that it reads from, is locked or has not the boundary that it was made with
     */
    public void requireWholeBoundaries() {
        for (Timeline at = this; at != null; at = at.parent) {
            at.requireWholeBoundary();
        }
    }

    /** Refuses whatever is asked of it, in this process: what it is cannot be told. */
    void refuse(String reason) {
        files.refuseAll(reason);
        upkeep.refuse();
    }

    void requireWholeBoundary() {
        files.requireWhole();
        files.requireParent();
        if (boundary != null) {
            boundary.check();
        }
    }

    /** Whether it, or a timeline that it reads from, is one of these. */
    boolean isOrBeginsOnOneOf(Set<TimelineId> ids) {
        for (Timeline at = this; at != null; at = at.parent) {
            if (ids.contains(at.id())) {
                return true;
            }
        }
        return false;
    }

    TimelineMetadata metadata() {
        return metadata;
    }

    /** Whether it or a timeline that it reads from has a boundary. */
    public boolean seesThroughBoundary() {
        for (Timeline at = this; at != null; at = at.parent) {
            if (at.boundary != null) {
                return true;
            }
        }
        return false;
    }

    /** The timeline's name. */
    public TimelineId id() {
        return metadata.id();
    }

    /** Where it begins; empty for a root. */
    public Optional<BranchPoint> ancestor() {
        return Optional.ofNullable(metadata.ancestor());
    }

    /** How many ancestors it has, 0 to {@value #MAX_DEPTH}. */
    public int depth() {
        return depth;
    }

    /** When it was created. */
    public Instant createdAt() {
        return metadata.createdAt();
    }

    /** Where its files lie. */
    public TimelineLayout layout() {
        return layout;
    }

    /**
     * Gives back the disk space that its WAL took ahead. Only for a timeline on which no compute runs, or will run any more.
     *
     * @throws StorageException when the disk fails; the WAL is whole then too
     */
    public void releaseUnwrittenWal() {
        try {
            UnwrittenWal.release(layout.wal());
        } catch (IOException e) {
            throw new StorageException("the unwritten WAL of timeline " + id() + " cannot be given back", e);
        }
    }

    /** Whether a process holds {@link TimelineLayout#writerLock}. */
    public boolean writerRunning() {
        return writerLock.isHeld();
    }

    /** What is at {@code path} now. */
    public FileStatus stat(String path) {
        journal.catchUp();
        return files.stat(path, HEAD);
    }

    /** What was at {@code path} as of {@code lsn}. */
    public FileStatus stat(String path, Lsn lsn) {
        return files.stat(path, retained(lsn));
    }

    /**
     * Reads blocks {@code firstBlock .. firstBlock + count - 1}; blocks beyond the end are zero.
     *
     * @throws NoSuchFileInTimelineException when there is no such file
     */
    public void readPages(String path, long firstBlock, int count, PageConsumer consumer) {
        if (files.readPages(path, firstBlock, count, HEAD, consumer)) {
            return;
        }
        // The compute may have created the file a moment ago.
        journal.catchUp();
        if (!files.readPages(path, firstBlock, count, HEAD, consumer)) {
            throw new NoSuchFileInTimelineException(id(), path);
        }
    }

    /** As {@link #readPages(String, long, int, PageConsumer)}, as of {@code lsn}. */
    public void readPages(String path, long firstBlock, int count, Lsn lsn, PageConsumer consumer) {
        if (!files.readPages(path, firstBlock, count, retained(lsn), consumer)) {
            throw new NoSuchFileInTimelineException(id(), path);
        }
    }

    /** The whole content; empty when there is no such file. */
    public Optional<byte[]> readFile(String path) {
        journal.catchUp();
        return files.readFile(path, HEAD);
    }

    /** The whole content as of {@code lsn}; empty when there is no such file. */
    public Optional<byte[]> readFile(String path, Lsn lsn) {
        return files.readFile(path, retained(lsn));
    }

    /** The names in a directory, in ascending order; empty when it is not there. */
    public Optional<List<DirectoryEntry>> list(String path) {
        journal.catchUp();
        return files.list(path, HEAD);
    }

    /** The names in a directory as of {@code lsn}, in ascending order; empty when it is not there. */
    public Optional<List<DirectoryEntry>> list(String path, Lsn lsn) {
        return files.list(path, retained(lsn));
    }

    /** Every directory but {@code ""}, parents first, for laying out a compute. */
    public List<String> directories() {
        journal.catchUp();
        return files.directories(HEAD);
    }

    /**
     * A branch point at the head: everything acknowledged before the call is in it. O(what changed in the last moments),
     * also while a compute writes; durable when it returns.
     */
    public BranchPoint head() {
        return branchPoints.head();
    }

    /**
     * The branch point at the end of the last complete record at or before {@code lsn}; of an ancestor when it lies
     * there.
     *
     * @throws OutsideHistoryException stating the range
     */
    public BranchPoint at(Lsn lsn) {
        return branchPoints.at(lsn);
    }

    /**
     * The branch point after the last commit at or before {@code time} that precedes the first commit after it; the head
     * when no commit is later.
     *
     * @throws OutsideHistoryException stating the earliest time
     */
    public BranchPoint at(Instant time) {
        return branchPoints.at(time);
    }

    /** The end of the last complete valid WAL record; {@link Lsn#ZERO} for a root without WAL. */
    public Lsn endOfWal() {
        return new Lsn(wal.end());
    }

    /**
     * Prepares a compute's start: ends the last epoch if need be, fills the WAL directory at the first wake, creates the
     * journal segment. Everything the compute writes to belongs to {@code owner} afterwards.
     *
     * @throws EpochRunningException when a process holds the writer lock
     * @throws BoundaryException as {@link #requireWholeBoundaries}
     */
    public Epoch beginEpoch(FileOwner owner) {
        requireWholeBoundaries();
        Epoch epoch = epochs.begin(owner);
        followed = true;
        return epoch;
    }

    /**
     * Says that the compute of the open epoch accepts connections. Call it before anybody commits: a point between its
     * first commits can then be branched.
     */
    public void started() {
        epochs.started();
    }

    /**
     * Ends the open epoch, after a clean stop or a crash alike; does nothing when none is open.
     *
     * @throws EpochRunningException when a process holds the writer lock
     */
    public void endEpoch() {
        epochs.end();
        followed = false;
        upkeep.noteMoment(true);
    }

    /** Whether the last epoch was begun and not ended. */
    public boolean epochOpen() {
        boolean open = journal.isOpen();
        followed = open;
        return open;
    }

    /** The last epoch's number, 0 before the first. */
    public long currentEpoch() {
        JournalSegment last = journal.lastSegment();
        return last == null ? 0 : last.epoch();
    }

    /**
     * Journals a stopped cluster's data directory into this empty root timeline and copies its WAL; durable when it
     * returns.
     *
     * @throws StorageException when the timeline is not an empty root, or the cluster was not shut down cleanly
     */
    public void importDirectory(Path pgdata) {
        epochs.importDirectory(pgdata);
        flush();
    }

    /**
     * Copies files of a timeline that rests after a clean shutdown into this empty root timeline, with the WAL of the
     * shutdown alone; durable when it returns. Nothing of {@code source} or its ancestors can be read through this timeline
     * but what was copied.
     *
     * @throws StorageException when this is not an empty root, the source was not shut down cleanly, a file that must be
     *     empty is not, or the last WAL segment holds more than a shutdown
     */
    public void importTimeline(Timeline source, TimelineImport.Selection selection) {
        epochs.importTimeline(source.importSource(), selection);
        flush();
    }

    private TimelineImport.Source importSource() {
        journal.catchUp();
        return new TimelineImport.Source(id(), files, wal.store(), wal.end(), epochOpen());
    }

    /**
     * Turns what the journal holds into a layer, now, and frees the journal; the background does so by itself. Reads and
     * branch points go on meanwhile. Does nothing while a compute is just starting.
     */
    public void flush() {
        upkeep.flush();
    }

    /**
     * How long whoever writes to it is to wait before each page, in microseconds: 0 unless more waits to be flushed than half
     * of what may. Cheap.
     */
    public int writeDelayMicroseconds() {
        return followed ? upkeep.writeDelayMicroseconds() : 0;
    }

    /** From where on every point of its own history is readable: the beginning, or what the retention has let go of. */
    public Lsn horizon() {
        return branchPoints.horizon();
    }

    /** The time to which history certainly reaches back; empty when nothing was collected yet. */
    public Optional<Instant> horizonTime() {
        return branchPoints.horizonTime();
    }

    /** What the timeline holds, in bytes. Walks its files and its directory: not for a hot path. */
    public TimelineSize size() {
        return upkeep.size();
    }

    /** Layers that a read may have to look into, of this timeline alone. */
    public int readAmplification() {
        return history.readAmplification();
    }

    /** Whether there is anything but a record of where it begins. */
    boolean hasHistory() {
        return history.layers().manifest() != null || journal.isLoaded() || Files.exists(layout.walArchive());
    }

    TimelineHistory history() {
        return history;
    }

    WalHistory wal() {
        return wal;
    }

    TimelineUpkeep upkeep() {
        return upkeep;
    }

    /**
     * What is known of a block, along the chain up to a boundary: this timeline's versions from the newest to the oldest, then
     * the parent's up to the ancestor LSN.
     *
     * @param lsn for which {@link PageVersion#served} is said; empty = the head
     */
    public List<PageVersion> versions(String path, long block, Optional<Lsn> lsn) {
        lsn.ifPresent(branchPoints::check);
        List<PageVersion> all = new ArrayList<>();
        boolean served = false;
        long limit = HEAD;
        long seen = lsn.map(Lsn::value).orElse(HEAD);
        for (Timeline at = this;
                at != null;
                at = FileReader.isInherited(path) && !at.hasBoundary() ? at.parent : null) {
            at.journal.catchUp();
            List<PageVersion> own = BlockVersions.of(at.history, path, block, limit, served ? 0 : seen);
            served |= own.stream().anyMatch(PageVersion::served);
            all.addAll(own);
            long ancestorLsn = at.ancestor().map(point -> point.lsn().value()).orElse(0L);
            limit = Lsn.min(limit, ancestorLsn);
            seen = Lsn.min(seen, ancestorLsn);
        }
        return all;
    }

    Subject verifySubject() {
        StorageResources resources = history.resources();
        Supplier<Collection<Lsn>> pins = () -> resources.retention().pins(id()).stream()
                .filter(pin -> !new Lsn(wal.oldest()).isAfter(pin))
                .toList();
        return new Subject(
                id(),
                layout.directory(),
                ancestor(),
                () -> Optional.ofNullable(parent).map(Timeline::endOfWal),
                resources.layers(),
                new LayerCaches(MEGABYTE, MEGABYTE),
                resources.files(),
                wal.store(),
                () -> pins.get().stream().reduce(endOfWal(), Lsn::max),
                () -> wal.neededWal(horizon(), pins.get()),
                upkeep::still);
    }

    BranchPoints branchPoints() {
        return branchPoints;
    }

    /** @throws StorageException unless it was shut down cleanly at a point */
    void requireCleanAt(Lsn lsn) {
        journal.catchUp();
        wal.cleanCheckpoint(lsn.value());
    }

    void stopFollowing() {
        followed = false;
    }

    /** Whether a compute may be writing, as far as was seen last. */
    boolean isFollowed() {
        return followed;
    }

    /** Indexes what was appended and follows the WAL, so that a branch point or a read need not. */
    void follow() {
        journal.follow();
        wal.end();
        upkeep.noteMoment(false);
    }

    private long retained(Lsn lsn) {
        journal.catchUp();
        branchPoints.check(lsn);
        return lsn.value();
    }
}
