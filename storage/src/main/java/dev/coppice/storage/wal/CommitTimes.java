package dev.coppice.storage.wal;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * When transactions of one timeline committed, from the commit records of its own WAL. Keeps a sample every {@link
 * #INTERVAL} bytes and reads the WAL between two samples again to answer. Commits are not quite in the order of their
 * times: the time is taken before the record is placed. Thread-safe.
 */
public final class CommitTimes {
    /** Not a time. */
    public static final long NO_TIME = Long.MIN_VALUE;

    /** WAL between two samples, in bytes. */
    private static final long INTERVAL = 1 << 20;

    private static final Instant POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private final WalStore store;
    private final List<Sample> samples = new ArrayList<>();
    private Sample end;

    /** A boundary, the latest time of a commit before it, and the end of the last commit before it (0 for none). */
    private record Sample(long position, long previous, long latestTime, long lastCommitEnd) {}

    /** What was found. */
    public sealed interface Answer {
        /** A commit is later; {@code lastCommitEnd} is the end of the one before it, 0 when there is none here. */
        record Before(long lastCommitEnd) implements Answer {}

        /** No commit is later. */
        record NoneLater() implements Answer {}
    }

    /** @param start the boundary at which the timeline begins */
    public CommitTimes(WalStore store, long start) {
        this.store = store;
        this.end = new Sample(start, 0, NO_TIME, 0);
        samples.add(end);
    }

    /** Postgres's form of a time: microseconds since 2000-01-01 UTC. */
    public static long toPostgres(Instant time) {
        return ChronoUnit.MICROS.between(POSTGRES_EPOCH, time);
    }

    /**
     * Looks for the first commit later than {@code time} whose record ends at or before {@code limit}.
     *
     * @param limit compared unsigned
     */
    public synchronized Answer find(long time, long limit) {
        readToEnd();
        Sample from = samples.getFirst();
        int low = 0;
        int high = samples.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (samples.get(middle).latestTime <= time) {
                from = samples.get(middle);
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        long lastCommitEnd = from.lastCommitEnd;
        WalScanner scanner = new WalScanner(store, from.position, from.previous);
        while (scanner.next() && Long.compareUnsigned(scanner.position(), limit) <= 0) {
            long committed = scanner.commitTime();
            if (committed == NO_TIME) {
                continue;
            }
            if (committed > time) {
                return new Answer.Before(lastCommitEnd);
            }
            lastCommitEnd = scanner.position();
        }
        return new Answer.NoneLater();
    }

    private void readToEnd() {
        WalScanner scanner = new WalScanner(store, end.position, end.previous);
        Sample at = end;
        while (scanner.next()) {
            long committed = scanner.commitTime();
            at = new Sample(
                    scanner.position(),
                    scanner.previous(),
                    Math.max(at.latestTime, committed),
                    committed == NO_TIME ? at.lastCommitEnd : scanner.position());
            if (at.position - samples.getLast().position >= INTERVAL) {
                samples.add(at);
            }
        }
        end = at;
    }
}
