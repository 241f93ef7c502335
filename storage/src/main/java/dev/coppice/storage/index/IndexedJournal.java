package dev.coppice.storage.index;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.OpenFiles;
import dev.coppice.storage.journal.DamagedEntry;
import dev.coppice.storage.journal.EntryCodec;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.journal.JournalEntry;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.journal.SegmentHeader;
import dev.coppice.storage.journal.SegmentScanner;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One timeline's journal with the index of what is in no layer yet: loaded at the first use, then followed. Thread-safe:
 * many threads ask while one catches up.
 *
 * <p>{@code scanLock} orders those who read the journal or change its set of segments; the index itself is changed under
 * the write lock, in batches, so that readers hardly wait.
 */
public final class IndexedJournal {
    private static final Logger LOG = LoggerFactory.getLogger(IndexedJournal.class);

    /** Entries added to the index under one hold of the write lock. */
    private static final int BATCH = 256;

    /** How often a flush looks for damage before it is put off. */
    private static final int DAMAGE_TRIES = 8;

    /** Bytes that may be appended before {@link #follow} syncs them. */
    private static final long MAX_BACKLOG = 16 << 20;

    private static final ByteBuffer NO_DATA = ByteBuffer.allocate(0);

    private final Path directory;
    private final TimelineId timeline;
    private final OpenFiles files;
    private final Supplier<JournalPosition> flushed;

    private final ReentrantLock scanLock = new ReentrantLock();

    /**
     * Fair: virtual threads are not time-sliced. With barging, readers that never block kept a woken reader off its
     * carrier, and the writer behind that one waited for them to finish.
     */
    private final ReentrantReadWriteLock indexLock = new ReentrantReadWriteLock(true);

    /** Replaced when reading failed half-way: a gap would serve old pages, so all is read again. */
    private TimelineIndex index = new TimelineIndex();

    /** What is being flushed; its entries are older than those of {@link #index}. */
    private @Nullable FrozenIndex frozen;

    private final List<JournalEntry> batch = new ArrayList<>();

    private final JournalDamage damage;
    private volatile List<JournalSegment> segments = List.of();
    private volatile boolean loaded;

    /** How far {@link #follow} has synced the newest segment; touched by the following thread only. */
    private long followedTo;

    private volatile @Nullable SegmentScanner scanner;

    /** Whether this process knows that the newest segment's end is durable. */
    private volatile boolean endSynced;

    /** Whether somebody asked since {@link #unloadIfIdle} looked last. */
    private volatile boolean used;

    private volatile long unflushedBytes;
    private volatile int unflushedSegments;

    /** Of what is being flushed, in bytes; and what both indexes take of the heap. */
    private volatile long frozenBytes;

    private volatile long heapBytes;
    private final AtomicLong generation = new AtomicLong();

    /**
     * Reads nothing yet.
     *
     * @param flushed where to begin when the index is loaded
     */
    public IndexedJournal(Path directory, TimelineId timeline, OpenFiles files, Supplier<JournalPosition> flushed) {
        this.directory = directory;
        this.timeline = timeline;
        this.files = files;
        this.flushed = flushed;
        this.damage = new JournalDamage(timeline);
    }

    /** Asks the index. The answer must not keep a reference to it. */
    public <T> T ask(Function<JournalTail, T> question) {
        if (!used) {
            used = true;
        }
        while (true) {
            load();
            indexLock.readLock().lock();
            try {
                if (loaded) {
                    return question.apply(new JournalTail(index, frozen == null ? null : frozen.index()));
                }
            } finally {
                indexLock.readLock().unlock();
            }
        }
    }

    /** The newest segment, if there has been an epoch. */
    public @Nullable JournalSegment lastSegment() {
        List<JournalSegment> all = allSegments();
        return all.isEmpty() ? null : all.getLast();
    }

    /** The oldest segment, if there has been an epoch. */
    public @Nullable JournalSegment firstSegment() {
        List<JournalSegment> all = allSegments();
        return all.isEmpty() ? null : all.getFirst();
    }

    /**
     * Indexes what was appended.
     *
     * @return J: every entry of the newest segment that begins before this byte is indexed; 0 without a segment
     */
    public long catchUp() {
        scanLock.lock();
        try {
            load();
            return scan(false);
        } finally {
            scanLock.unlock();
        }
    }

    /**
     * Indexes what was appended, and syncs when much of it is not: a branch point must sync all, and should not have to
     * wait for a bulk load to reach the disk.
     */
    public void follow() {
        long position = catchUp();
        JournalSegment last = lastSegment();
        if (last == null) {
            return;
        }
        if (position < followedTo) {
            followedTo = 0;
        }
        if (position - followedTo > MAX_BACKLOG) {
            last.sync();
            followedTo = position;
        }
    }

    /** Creates the next epoch's segment, durable when this returns. */
    public JournalSegment begin(long startMark) {
        scanLock.lock();
        try {
            load();
            syncEnd();
            JournalSegment last = lastSegment();
            int epoch = last == null ? 1 : last.epoch() + 1;
            JournalSegment segment =
                    JournalSegment.create(directory, new SegmentHeader(epoch, startMark, timeline), files);
            List<JournalSegment> all = new ArrayList<>(segments);
            all.add(segment);
            addSegmentToIndex(segment, segment.startMark());
            segments = List.copyOf(all);
            scanner = new SegmentScanner(segment);
            endSynced = false;
            return segment;
        } finally {
            scanLock.unlock();
        }
    }

    /**
     * Makes an ended epoch durable: an earlier process may have written its last fence and not lived to sync it. Costs
     * nothing after the first time.
     */
    public void syncEnd() {
        JournalSegment last = endSynced ? null : lastSegment();
        if (last != null) {
            last.sync();
            endSynced = true;
        }
    }

    /** Makes what was appended to an open epoch durable, as far as it is now. */
    public void syncNewest() {
        JournalSegment last = isOpen() ? lastSegment() : null;
        if (last != null) {
            last.sync();
        }
    }

    /** Appends a fence at a branch point, durable and indexed when this returns. */
    public void fence(long stamp, long offset) {
        appendFence(stamp, offset, 0);
        catchUp();
    }

    /**
     * Ends the epoch: indexes all, drops a torn tail, and appends the fence that says so; durable when this returns. No
     * process may be writing.
     *
     * @param stamp the end of valid WAL
     */
    public void end(long stamp) {
        scanLock.lock();
        try {
            load();
            long offset = scan(true);
            SegmentScanner read = scanner;
            long length = JournalSegment.ENDED;
            if (read != null && read.dropped() == 0) {
                // The fence is to prove that what is before it was durable.
                read.segment().sync();
                length = JournalSegment.ENDED_WHOLE;
            }
            appendFence(stamp, offset, length);
            endSynced = true;
            scan(true);
        } finally {
            scanLock.unlock();
        }
    }

    /**
     * Splits what is indexed from what will be, for a flush. While an epoch is open a fence makes the split durable; the
     * stamps on the older side are final then. What was frozen before and not released is returned again.
     *
     * @param endOfWal finds the end of valid WAL and makes it durable; called while the journal is locked
     * @return null when there is nothing to flush
     */
    public @Nullable FrozenIndex freeze(LongSupplier endOfWal) {
        scanLock.lock();
        try {
            load();
            if (frozen == null && !knowDamage()) {
                return null;
            }
            // Right before the end of WAL is found: what is appended between the two is raised beyond that end, so that
            // points before it
            // would see less than was written.
            long offset = scan(false);
            if (frozen == null && damage.isSuspicious()) {
                return null;
            }
            JournalSegment last = lastSegment();
            if (last == null || frozen != null || (index.isEmpty() && index.segmentCount() < 2)) {
                return frozen;
            }
            if (isOpen()) {
                long stamp = endOfWal.getAsLong();
                appendFence(stamp, offset, 0);
                fenceIndex(offset, stamp);
            } else {
                syncEnd();
            }
            split(last, offset);
            return frozen;
        } finally {
            scanLock.unlock();
        }
    }

    /**
     * Finds what is damaged: once it is in a layer, nobody could tell any more.
     *
     * @return false when a compute appends torn entries faster than they are looked at: another time
     */
    private boolean knowDamage() {
        for (int tries = 0; tries < DAMAGE_TRIES; tries++) {
            scan(false);
            if (!damage.isSuspicious()) {
                return true;
            }
            if (damage.find(flushed.get(), newestEpoch())) {
                reset();
                load();
            }
        }
        return false;
    }

    private void fenceIndex(long offset, long stamp) {
        indexLock.writeLock().lock();
        try {
            index.fence(offset, stamp);
        } finally {
            indexLock.writeLock().unlock();
        }
    }

    private void split(JournalSegment last, long offset) {
        indexLock.writeLock().lock();
        try {
            long stamp = index.lastFenceStamp();
            frozen = new FrozenIndex(index, new JournalPosition(last.epoch(), offset, stamp));
            index = new TimelineIndex();
            index.addSegment(last, stamp + 1);
            measure();
        } finally {
            indexLock.writeLock().unlock();
        }
    }

    private void measure() {
        FrozenIndex flushing = frozen;
        frozenBytes = flushing == null ? 0 : flushing.index().journalBytes();
        heapBytes = index.heapBytes() + (flushing == null ? 0 : flushing.index().heapBytes());
        unflushedBytes = index.journalBytes();
        unflushedSegments = index.segmentCount();
    }

    /**
     * Forgets a frozen index, whose entries are in a layer now, and the segments before it. The layer must be visible to
     * those who ask before this is called.
     */
    public void release(FrozenIndex flushedIndex) {
        scanLock.lock();
        try {
            if (frozen != null && frozen.index() == flushedIndex.index()) {
                dropFrozen();
                int epoch = flushedIndex.end().epoch();
                segments = segments.stream().filter(s -> s.epoch() >= epoch).toList();
            } else {
                // The journal was read again meanwhile, from where the flush before this one had come to.
                reset();
            }
        } finally {
            scanLock.unlock();
        }
    }

    /** Gives back the space of what lies before {@code position}, which is in layers. */
    public void free(JournalPosition position) {
        for (JournalSegment segment : JournalSegment.openAll(directory, timeline, files)) {
            if (segment.epoch() < position.epoch()) {
                segment.delete();
            } else if (segment.epoch() == position.epoch()) {
                segment.free(position.offset());
            }
        }
    }

    /** What was frozen and not released. */
    public @Nullable FrozenIndex frozen() {
        indexLock.readLock().lock();
        try {
            return frozen;
        } finally {
            indexLock.readLock().unlock();
        }
    }

    private void dropFrozen() {
        indexLock.writeLock().lock();
        try {
            frozen = null;
            generation.incrementAndGet();
            measure();
        } finally {
            indexLock.writeLock().unlock();
        }
    }

    /** Whether there is an index in memory. */
    public boolean isLoaded() {
        return loaded;
    }

    /** Bytes of journal in the growing index; 0 when it is not loaded. */
    public long unflushedBytes() {
        return loaded ? unflushedBytes : 0;
    }

    /** Bytes of journal that are in no layer yet: of both indexes, and what was appended since; 0 when it is not loaded. */
    public long backlogBytes() {
        SegmentScanner current = scanner;
        if (!loaded || current == null) {
            return 0;
        }
        return frozenBytes + unflushedBytes + Math.max(0, current.segment().size() - current.position());
    }

    /** About what the index takes of the heap, in bytes. */
    public long heapBytes() {
        return loaded ? heapBytes : 0;
    }

    /** Segments in the growing index; 0 when it is not loaded. */
    public int unflushedSegments() {
        return loaded ? unflushedSegments : 0;
    }

    /** Changes when an index is no longer asked: whoever could not read what it named looks again. */
    public long generation() {
        return generation.get();
    }

    /** Drops an index that nobody asked since the last call, unless it is being flushed; the next use reads it again. */
    public void unloadIfIdle() {
        if (!loaded || !scanLock.tryLock()) {
            return;
        }
        try {
            if (!used && frozen == null) {
                reset();
            }
            used = false;
        } finally {
            scanLock.unlock();
        }
    }

    /** Whether the newest segment has no end. Reads little, and does not load the index. */
    public boolean isOpen() {
        return lastSegment() != null && endStamp().isEmpty();
    }

    /** The end of WAL with which the last epoch ended; empty when it has not. Reads little. */
    public OptionalLong endStamp() {
        JournalSegment last = lastSegment();
        JournalEntry entry = last == null ? null : last.lastIfWithoutPath();
        return entry != null && entry.type() == EntryType.FENCE && entry.length() != 0
                ? OptionalLong.of(entry.stamp())
                : OptionalLong.empty();
    }

    private void appendFence(long stamp, long offset, long length) {
        JournalSegment segment = lastSegment();
        if (segment == null) {
            throw new IllegalStateException("timeline " + timeline + " has no epoch to fence");
        }
        segment.append(EntryCodec.encode(EntryType.FENCE, "", stamp, offset, length, segment.epoch(), NO_DATA));
        segment.sync();
    }

    private List<JournalSegment> allSegments() {
        return loaded ? segments : JournalSegment.openAll(directory, timeline, files);
    }

    private void load() {
        if (loaded) {
            return;
        }
        scanLock.lock();
        try {
            if (loaded) {
                return;
            }
            damage.forget();
            readAll();
            if (damage.find(flushed.get(), newestEpoch())) {
                readAll();
            }
            loaded = true;
        } finally {
            scanLock.unlock();
        }
    }

    private void readAll() {
        reset();
        JournalPosition from = flushed.get();
        List<JournalSegment> all = JournalSegment.openAll(directory, timeline, files).stream()
                .filter(segment -> segment.epoch() >= from.epoch())
                .toList();
        refuseGap(all, from);
        segments = all;
        for (JournalSegment segment : all) {
            boolean continued = segment.epoch() == from.epoch();
            addSegmentToIndex(segment, continued ? from.stamp() + 1 : segment.startMark());
            scanner = new SegmentScanner(segment, continued ? from.offset() : SegmentHeader.SIZE, damage.of(segment));
            boolean closed = segment != all.getLast();
            if (closed && !hasEnd(segment)) {
                damage.suspect(segment);
            }
            scan(closed || !isOpen());
        }
    }

    private int newestEpoch() {
        JournalSegment last = lastSegment();
        return last == null ? 0 : last.epoch();
    }

    private static boolean hasEnd(JournalSegment segment) {
        JournalEntry entry = segment.lastIfWithoutPath();
        return entry != null && entry.type() == EntryType.FENCE && entry.length() != 0;
    }

    /** The segment in which the flushed part ends must be there, with that part, and one of each epoch since. */
    private void refuseGap(List<JournalSegment> all, JournalPosition from) {
        if (from.epoch() != 0
                && (all.isEmpty()
                        || all.getFirst().epoch() != from.epoch()
                        || all.getFirst().size() < from.offset())) {
            throw new StorageException("timeline " + timeline + ": the journal in " + directory + " has lost its part"
                    + " behind byte " + from.offset() + " of epoch " + from.epoch() + ", up to which it was flushed");
        }
        int expected = Math.max(1, from.epoch());
        for (JournalSegment segment : all) {
            if (segment.epoch() != expected) {
                throw new StorageException("timeline " + timeline + ": the journal in " + directory + " has lost its"
                        + " segment of epoch " + expected + ". Restore the file from a backup, or a point before it");
            }
            expected++;
        }
    }

    private void addSegmentToIndex(JournalSegment segment, long floor) {
        indexLock.writeLock().lock();
        try {
            index.addSegment(segment, floor);
            measure();
        } finally {
            indexLock.writeLock().unlock();
        }
    }

    private long scan(boolean ended) {
        SegmentScanner current = scanner;
        if (current == null) {
            return 0;
        }
        boolean complete = false;
        try {
            long position = readNew(current, ended);
            complete = true;
            return position;
        } finally {
            if (!complete) {
                reset();
            }
        }
    }

    private void reset() {
        indexLock.writeLock().lock();
        try {
            if (loaded) {
                // Not otherwise: an index that cannot be loaded would look like one that changes all the time.
                generation.incrementAndGet();
            }
            loaded = false;
            scanner = null;
            batch.clear();
            index = new TimelineIndex();
            frozen = null;
            measure();
        } finally {
            indexLock.writeLock().unlock();
        }
    }

    private long readNew(SegmentScanner current, boolean ended) {
        long dropped = current.dropped();
        current.scan(
                ended,
                entry -> {
                    batch.add(entry);
                    if (batch.size() == BATCH) {
                        addBatch();
                    }
                },
                this::addDamaged);
        addBatch();
        if (current.dropped() > dropped) {
            damage.suspect(current.segment());
            // A process that was killed, or a full disk, explains one torn entry; more is damage, and pages are
            // missing.
            LOG.warn(
                    "{}: dropped {} bytes before byte {} that are no whole entries: what they held is lost",
                    current.segment(),
                    current.dropped() - dropped,
                    current.position());
        }
        return current.position();
    }

    private void addDamaged(DamagedEntry entry) {
        addBatch();
        indexLock.writeLock().lock();
        try {
            index.addDamaged(entry);
        } finally {
            indexLock.writeLock().unlock();
        }
    }

    private void addBatch() {
        indexLock.writeLock().lock();
        try {
            batch.forEach(index::add);
            measure();
        } finally {
            batch.clear();
            indexLock.writeLock().unlock();
        }
    }
}
