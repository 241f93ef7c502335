package dev.coppice.storage.wal;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/** The end of valid WAL of one timeline: found once, then followed as it grows. Thread-safe. */
public final class WalTail {
    private final WalStore store;

    @GuardedBy("this")
    private boolean known;

    @GuardedBy("this")
    private long position;

    @GuardedBy("this")
    private long previous;

    @GuardedBy("this")
    private long synced;

    /** Nothing is known yet. */
    public WalTail(WalStore store) {
        this.store = store;
    }

    /** Whether a boundary is known, so that {@link #advance} may be called. */
    public synchronized boolean isKnown() {
        return known;
    }

    /** Starts from a boundary. */
    public synchronized void startAt(long boundary) {
        position = boundary;
        previous = 0;
        synced = boundary;
        known = true;
    }

    /** Follows the records to the end of the last valid one, and returns it. */
    public synchronized long advance() {
        if (!known) {
            throw new IllegalStateException("no record boundary is known");
        }
        WalScanner scanner = new WalScanner(store, position, previous);
        while (scanner.next()) {
            position = scanner.position();
            previous = scanner.previous();
        }
        return position;
    }

    /** The end as it was last seen. */
    public synchronized long position() {
        return position;
    }

    /** Makes the WAL up to {@code end} durable; without a known boundary none was written here. */
    public synchronized void syncIfKnown(long end) {
        if (known && Long.compareUnsigned(synced, end) < 0) {
            store.sync(synced, end);
            synced = end;
        }
    }
}
