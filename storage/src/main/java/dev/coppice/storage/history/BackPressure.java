package dev.coppice.storage.history;

import dev.coppice.common.TimelineId;
import dev.coppice.common.config.StorageConfiguration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much may wait to be flushed, and how long writers wait so that it does not become more. Up to half of a limit nobody
 * waits; then ever longer, so that a compute that writes faster than it is flushed comes to write as fast; nobody is stopped.
 * Thread-safe.
 */
public final class BackPressure {
    private static final Logger LOG = LoggerFactory.getLogger(BackPressure.class);
    private static final long MEGABYTE = 1 << 20;

    /** For each page, at the limit and beyond: some 80 kB a second of each writing process. */
    static final int MAX_MICROSECONDS = 100_000;

    /** So many times more WAL than journal may wait. */
    private static final int WAL_PER_JOURNAL = 4;

    /** A flush begins in time before the limit. */
    private static final int FLUSHES_PER_LIMIT = 4;

    private static final int HEAP_SHARE = 4;

    private final long journalLimit;
    private final long indexLimit;
    private final Set<TimelineId> slowed = ConcurrentHashMap.newKeySet();
    private volatile long indexBytes;

    BackPressure(StorageConfiguration configuration) {
        journalLimit = MEGABYTE
                * Math.max(
                        configuration.maxUnflushedMegabytes(),
                        (long) FLUSHES_PER_LIMIT * configuration.flushJournalMegabytes());
        indexLimit = configuration.maxIndexMegabytes() > 0
                ? configuration.maxIndexMegabytes() * MEGABYTE
                : Runtime.getRuntime().maxMemory() / HEAP_SHARE;
    }

    /** What the indexes of all timelines take of the heap together, in bytes. */
    public void indexes(long bytes) {
        indexBytes = bytes;
    }

    /** Whether memory is so short that a small journal is worth a flush too. */
    public boolean isIndexLarge() {
        return indexBytes > indexLimit / FLUSHES_PER_LIMIT;
    }

    /**
     * How long a writer waits before each page, in microseconds, 0 to {@link #MAX_MICROSECONDS}.
     *
     * @param journalBytes of the timeline that wait for a flush
     * @param walBytes of the timeline since what was flushed last
     */
    public int microseconds(long journalBytes, long walBytes) {
        double part = Math.max(
                share(journalBytes, journalLimit),
                Math.max(share(walBytes, journalLimit * WAL_PER_JOURNAL), share(indexBytes, indexLimit)));
        return (int) Math.ceil(part * part * MAX_MICROSECONDS);
    }

    /** Where between half of the limit and the limit, 0 to 1. */
    private static double share(long bytes, long limit) {
        return Math.clamp((bytes - limit / 2.0) / (limit / 2.0), 0, 1);
    }

    /** Says once when a timeline's writers begin to be slowed down, and once when they no longer are. */
    public void note(TimelineId timeline, int microseconds, long journalBytes, long walBytes) {
        if (microseconds > 0 && slowed.add(timeline)) {
            LOG.warn(
                    "timeline {}: its compute writes faster than it is flushed, so it is slowed down: {} MB of journal (limit {})"
                            + " and {} MB of WAL wait, and {} MB of index in memory (limit {})",
                    timeline,
                    journalBytes / MEGABYTE,
                    journalLimit / MEGABYTE,
                    walBytes / MEGABYTE,
                    indexBytes / MEGABYTE,
                    indexLimit / MEGABYTE);
        } else if (microseconds == 0 && slowed.remove(timeline)) {
            LOG.info("timeline {}: its compute is not slowed down any more", timeline);
        }
    }
}
