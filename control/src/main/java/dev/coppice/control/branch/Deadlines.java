package dev.coppice.control.branch;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does what is due by the clock: branches, snapshots and masked views that expire, snapshots by schedule, ends of recovery windows. */
public final class Deadlines implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Deadlines.class);
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final Expiry expiry;
    private final Recovery recovery;
    private final SnapshotWorkflows snapshots;
    private final MaskedViews views;
    private final Thread thread;
    /** What could not be done the last time; said once. For the thread. */
    private final Set<String> failing = new HashSet<>();

    private volatile boolean closed;

    public Deadlines(Workshop shop) {
        this.expiry = new Expiry(shop);
        this.recovery = new Recovery(shop);
        this.snapshots = new SnapshotWorkflows(shop);
        this.views = shop.views();
        this.thread = Thread.ofVirtual().name("deadlines").unstarted(this::run);
    }

    /** Begins to look, at once and then every second. */
    public void start() {
        thread.start();
    }

    private void run() {
        while (!closed) {
            meet("expired branches", expiry::deleteExpired);
            meet("recovery windows", recovery::purge);
            meet("snapshots", snapshots::keepUp);
            meet("masked views", views::expire);
            try {
                Thread.sleep(INTERVAL);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void meet(String what, Runnable work) {
        try {
            if (!closed) {
                work.run();
                failing.remove(what);
            }
        } catch (RuntimeException e) {
            if (!closed && failing.add(what)) {
                log.warn("What is due of {} could not be done now; it is tried again", what, e);
            }
        }
    }

    /** Stops looking; waits for what is being done. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
