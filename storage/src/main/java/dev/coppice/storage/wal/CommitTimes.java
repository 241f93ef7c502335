package dev.coppice.storage.wal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.coppice.common.Lsn;
import dev.coppice.storage.fault.StorageException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Iterator;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * When transactions of one timeline committed, from the commit records of its own WAL. Commits are not quite in the order of
 * their times: the time is taken before the record is placed. So "at a time" means what Postgres's {@code recovery_target_time} does:
 * everything up to, not including, the first commit record with a later time. Thread-safe.
 *
 * <p>A search walks the WAL from a place before which every commit is at or before the time that is asked: a known moment,
 * or a sample that an earlier search left behind. WAL below the nearest moment need not be there any more.
 */
public final class CommitTimes {
    /** Not a time. */
    public static final long NO_TIME = Long.MIN_VALUE;

    /** WAL between two samples, in bytes. */
    private static final long INTERVAL = 1 << 20;

    /** Every other sample goes when there are so many. */
    private static final int MAX_SAMPLES = 4096;

    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private final WalStore store;

    /** By position, unsigned. */
    @GuardedBy("this")
    private final NavigableMap<Long, Sample> samples = new TreeMap<>(Long::compareUnsigned);

    /**
     * A boundary.
     *
     * @param previous where the record before begins, 0 when not known
     * @param latestTime no commit before it is later
     * @param lastCommitEnd an image here has the same commits; 0 when there is none in this timeline
     */
    private record Sample(long position, long previous, long latestTime, long lastCommitEnd) {}

    /** What was found. */
    public sealed interface Answer {
        /**
         * A commit is later; an image at {@code lastCommitEnd}, the end of a record, has the commits before it and no
         * other. 0 when there is none in this timeline.
         */
        record Before(long lastCommitEnd) implements Answer {}

        /** No commit is later. */
        record NoneLater() implements Answer {}
    }

    /** Knows nothing yet. */
    public CommitTimes(WalStore store) {
        this.store = store;
    }

    /** Postgres's form of a time: microseconds since 2000-01-01 UTC, rounded down. */
    public static long toPostgres(Instant time) {
        long micros = ChronoUnit.MICROS.between(POSTGRES_EPOCH, time);
        return POSTGRES_EPOCH.plus(micros, ChronoUnit.MICROS).isAfter(time) ? micros - 1 : micros;
    }

    /** Looks for the first commit later than {@code time} in a timeline with all of its WAL, which begins at {@code start}. */
    public Answer find(long time, long start, long limit) {
        return find(time, new Sample(start, 0, NO_TIME, 0), limit);
    }

    /**
     * Looks for the first commit later than {@code time} whose record ends at or before {@code limit}.
     *
     * @param from at or before {@code time}; WAL below it is not read
     * @param limit compared unsigned
     * @throws StorageException when WAL before {@code limit} is missing
     */
    public Answer find(long time, Moment from, long limit) {
        long lsn = from.lsn().value();
        return find(time, new Sample(lsn, 0, toPostgres(from.time()), lsn), limit);
    }

    private synchronized Answer find(long time, Sample from, long limit) {
        Sample at = nearest(time, from);
        long sampled = at.position;
        WalScanner scanner = new WalScanner(store, at.position, at.previous);
        while (scanner.next() && Long.compareUnsigned(scanner.position(), limit) <= 0) {
            long committed = scanner.commitTime();
            if (committed != NO_TIME && committed > time) {
                return new Answer.Before(at.lastCommitEnd);
            }
            at = new Sample(
                    scanner.position(),
                    scanner.previous(),
                    Math.max(at.latestTime, committed),
                    committed == NO_TIME ? at.lastCommitEnd : scanner.position());
            if (at.position - sampled >= INTERVAL) {
                samples.put(at.position, at);
                sampled = at.position;
            }
        }
        keepFew();
        if (Long.compareUnsigned(scanner.position(), limit) < 0) {
            throw new StorageException("the WAL between " + new Lsn(scanner.position()) + " and " + new Lsn(limit)
                    + " is missing or damaged, so the commits in it are not known");
        }
        return new Answer.NoneLater();
    }

    /** The furthest place from which the first later commit is sure to be met. */
    @GuardedBy("this")
    private Sample nearest(long time, Sample from) {
        for (Sample sample :
                samples.tailMap(from.position, false).descendingMap().values()) {
            if (sample.latestTime <= time) {
                return sample;
            }
        }
        return from;
    }

    @GuardedBy("this")
    private void keepFew() {
        if (samples.size() > MAX_SAMPLES) {
            boolean keep = false;
            for (Iterator<Sample> all = samples.values().iterator(); all.hasNext(); keep = !keep) {
                all.next();
                if (!keep) {
                    all.remove();
                }
            }
        }
    }
}
