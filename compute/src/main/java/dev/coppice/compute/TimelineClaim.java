package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * The right to a timeline's local files and to a compute on it. Whoever took it closes it, on every path; what was started
 * with it keeps it until all of that is gone. Thread-safe; closing it twice is closing it once, so that a late end of one
 * run never takes another's claim away.
 */
final class TimelineClaim implements AutoCloseable {
    private final TimelineClaims claims;
    private final TimelineId timeline;
    private final String claimant;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private volatile boolean kept;

    TimelineClaim(TimelineClaims claims, TimelineId timeline, String claimant) {
        this.claims = claims;
        this.timeline = timeline;
        this.claimant = claimant;
    }

    TimelineId timeline() {
        return timeline;
    }

    /** Who has it: an endpoint, or what is done with the local files. */
    String claimant() {
        return claimant;
    }

    /** Hands it to the run that it was taken for: {@link #closeUnlessKept} leaves it alone from now on. */
    TimelineClaim keep() {
        kept = true;
        return this;
    }

    /** For the one who took it: gives it up when nobody keeps it. */
    void closeUnlessKept() {
        if (!kept) {
            close();
        }
    }

    /** Gives it up. */
    @Override
    public void close() {
        claims.release(this);
        closed.complete(null);
    }

    /** Waits until it is given up. */
    void awaitClosed() throws InterruptedException {
        try {
            closed.get();
        } catch (ExecutionException e) {
            throw new AssertionError("only completed", e);
        }
    }
}
