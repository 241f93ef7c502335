package dev.coppice.compute.agent;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs why requests of one compute could not be answered, each under a short id that the answer has, too. Whoever can make a
 * request fail can do so without end, so only a few a minute are written and the others counted. Thread-safe.
 */
final class Unanswerable {
    private static final Logger log = LoggerFactory.getLogger(Unanswerable.class);

    static final int LOGGED_A_MINUTE = 10;

    private static final long MINUTE_NANOS = 60_000_000_000L;

    private final String timeline;

    // Guarded by this.
    private long minuteBegan = System.nanoTime();
    private int logged;
    private long unsaid;

    Unanswerable(String timeline) {
        this.timeline = timeline;
    }

    /** Notes a failure; answers its id. */
    String note(String path, Throwable failure) {
        String id = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
        if (mayLog()) {
            log.error("Cannot answer for {} of {} (error {})", path, timeline, id, failure);
        }
        return id;
    }

    private synchronized boolean mayLog() {
        long now = System.nanoTime();
        if (now - minuteBegan >= MINUTE_NANOS) {
            if (unsaid > 0) {
                log.error("{} more requests of {} could not be answered", unsaid, timeline);
            }
            minuteBegan = now;
            logged = 0;
            unsaid = 0;
        }
        if (logged < LOGGED_A_MINUTE) {
            logged++;
            return true;
        }
        unsaid++;
        return false;
    }
}
