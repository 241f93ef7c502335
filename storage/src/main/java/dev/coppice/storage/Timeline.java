package dev.coppice.storage;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * One timeline: its files as of any LSN, its WAL, its branch points and its epochs. Thread-safe.
 *
 * <p>Paths are relative to the data directory, {@code /}-separated, {@code ""} for the data directory itself. Reads
 * without an LSN are of the head; {@code stat}, {@code readFile} and {@code list} at the head reflect everything that is
 * in the journal when they are called. All may throw {@link StorageException} and {@link ChecksumMismatchException}.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Timeline {
    /** A block, in bytes. */
    public static final int BLOCK_SIZE = 8192;

    private Timeline() {}

    /** The timeline's name. */
    public TimelineId id() {
        throw new UnsupportedOperationException();
    }

    /** Where it begins; empty for a root. */
    public Optional<BranchPoint> ancestor() {
        throw new UnsupportedOperationException();
    }

    /** When it was created. */
    public Instant createdAt() {
        throw new UnsupportedOperationException();
    }

    /** Its own directory. */
    public Path directory() {
        throw new UnsupportedOperationException();
    }

    /** The compute's {@code pg_wal}; there after {@link #beginEpoch}. */
    public Path walDirectory() {
        throw new UnsupportedOperationException();
    }

    /** Where removed WAL segments go; there after {@link #beginEpoch}. */
    public Path walArchiveDirectory() {
        throw new UnsupportedOperationException();
    }

    /** The journal's segments. */
    public Path journalDirectory() {
        throw new UnsupportedOperationException();
    }

    /** The file whose open-file-description lock every process of the compute holds; there after {@link #beginEpoch}. */
    public Path writerLock() {
        throw new UnsupportedOperationException();
    }

    /** Whether a process holds {@link #writerLock}. */
    public boolean writerRunning() {
        throw new UnsupportedOperationException();
    }

    /** What is at {@code path} now. */
    public FileStatus stat(String path) {
        throw new UnsupportedOperationException();
    }

    /** What was at {@code path} as of {@code lsn}. */
    public FileStatus stat(String path, Lsn lsn) {
        throw new UnsupportedOperationException();
    }

    /**
     * Reads blocks {@code firstBlock .. firstBlock + count - 1}; blocks beyond the end are zero.
     *
     * @throws NoSuchFileInTimelineException when there is no such file
     */
    public void readPages(String path, long firstBlock, int count, PageConsumer consumer) {
        throw new UnsupportedOperationException();
    }

    /** As {@link #readPages(String, long, int, PageConsumer)}, as of {@code lsn}. */
    public void readPages(String path, long firstBlock, int count, Lsn lsn, PageConsumer consumer) {
        throw new UnsupportedOperationException();
    }

    /** The whole content; empty when there is no such file. */
    public Optional<byte[]> readFile(String path) {
        throw new UnsupportedOperationException();
    }

    /** The whole content as of {@code lsn}; empty when there is no such file. */
    public Optional<byte[]> readFile(String path, Lsn lsn) {
        throw new UnsupportedOperationException();
    }

    /** The names in a directory, in ascending order; empty when it is not there. */
    public Optional<List<DirectoryEntry>> list(String path) {
        throw new UnsupportedOperationException();
    }

    /** The names in a directory as of {@code lsn}, in ascending order; empty when it is not there. */
    public Optional<List<DirectoryEntry>> list(String path, Lsn lsn) {
        throw new UnsupportedOperationException();
    }

    /** Every directory but {@code ""}, parents first, for laying out a compute. */
    public List<String> directories() {
        throw new UnsupportedOperationException();
    }

    /**
     * A branch point at the head: everything acknowledged before the call is in it. O(what changed in the last moments),
     * also while a compute writes; durable when it returns.
     */
    public BranchPoint head() {
        throw new UnsupportedOperationException();
    }

    /**
     * The branch point at the end of the last complete record at or before {@code lsn}; of an ancestor when it lies
     * there.
     *
     * @throws OutsideHistoryException stating the range
     */
    public BranchPoint at(Lsn lsn) {
        throw new UnsupportedOperationException();
    }

    /**
     * The branch point after the last commit at or before {@code time} that precedes the first commit after it; the head
     * when no commit is later.
     *
     * @throws OutsideHistoryException stating the earliest time
     */
    public BranchPoint at(Instant time) {
        throw new UnsupportedOperationException();
    }

    /** The end of the last complete valid WAL record; {@link Lsn#ZERO} for a root without WAL. */
    public Lsn endOfWal() {
        throw new UnsupportedOperationException();
    }

    /**
     * Prepares a compute's start: ends the last epoch if need be, fills the WAL directory at the first wake, creates the
     * journal segment. Everything the compute writes to belongs to {@code owner} afterwards.
     *
     * @throws EpochRunningException when a process holds the writer lock
     */
    public Epoch beginEpoch(FileOwner owner) {
        throw new UnsupportedOperationException();
    }

    /**
     * Ends the open epoch, after a clean stop or a crash alike; does nothing when none is open.
     *
     * @throws EpochRunningException when a process holds the writer lock
     */
    public void endEpoch() {
        throw new UnsupportedOperationException();
    }

    /** Whether the last epoch was begun and not ended. */
    public boolean epochOpen() {
        throw new UnsupportedOperationException();
    }

    /** The last epoch's number, 0 before the first. */
    public long currentEpoch() {
        throw new UnsupportedOperationException();
    }

    /**
     * Journals a stopped cluster's data directory into this empty root timeline and copies its WAL; durable when it
     * returns.
     *
     * @throws StorageException when the timeline is not an empty root, or the cluster was not shut down cleanly
     */
    public void importDirectory(Path pgdata) {
        throw new UnsupportedOperationException();
    }
}
