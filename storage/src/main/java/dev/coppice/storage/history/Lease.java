package dev.coppice.storage.history;

import dev.coppice.storage.layout.BranchPoint;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Keeps what a point sees from being collected, until closed: for a point that is about to be used. In memory only; a
 * restart lets go of it. Closing twice is fine. Safe for any thread.
 */
public final class Lease implements AutoCloseable {
    private final BranchPoint point;
    private final Runnable release;
    private final AtomicBoolean closed = new AtomicBoolean();

    Lease(BranchPoint point, Runnable release) {
        this.point = point;
        this.release = release;
    }

    /** The point that stays readable. */
    public BranchPoint point() {
        return point;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            release.run();
        }
    }
}
