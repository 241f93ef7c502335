package dev.coppice.storage;

import dev.coppice.common.TimelineId;
import java.nio.file.Path;
import java.util.Set;

/**
 * All timelines below one directory. Thread-safe; calls block on disk, so call from virtual threads.
 *
 * <p>One process at a time may have a directory open; the caller sees to that.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class PageService implements AutoCloseable {
    private PageService() {}

    /**
     * Opens the directory, creating it when absent. Reads metadata only: an index is built when its timeline is first
     * used.
     */
    public static PageService open(Path timelinesDirectory) {
        throw new UnsupportedOperationException();
    }

    /**
     * Creates an empty timeline without a parent; durable when it returns.
     *
     * @throws TimelineExistsException when the id is taken
     */
    public Timeline createRoot(TimelineId id) {
        throw new UnsupportedOperationException();
    }

    /**
     * Creates a timeline that begins at {@code point}: O(1), durable when it returns.
     *
     * @throws TimelineExistsException when the id is taken
     * @throws NoSuchTimelineException when the point's timeline is not there
     */
    public Timeline createBranch(TimelineId id, BranchPoint point) {
        throw new UnsupportedOperationException();
    }

    /**
     * The timeline with this id; the same object on every call.
     *
     * @throws NoSuchTimelineException when there is none
     */
    public Timeline timeline(TimelineId id) {
        throw new UnsupportedOperationException();
    }

    /** Whether a timeline has this id. */
    public boolean exists(TimelineId id) {
        throw new UnsupportedOperationException();
    }

    /** A snapshot of all ids. */
    public Set<TimelineId> timelines() {
        throw new UnsupportedOperationException();
    }

    /** A snapshot of the timelines whose parent is {@code id}. */
    public Set<TimelineId> children(TimelineId id) {
        throw new UnsupportedOperationException();
    }

    /**
     * Deletes a timeline and everything in its directory.
     *
     * @throws TimelineHasChildrenException when another timeline begins on it
     * @throws EpochRunningException when a compute holds its writer lock
     */
    public void delete(TimelineId id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
