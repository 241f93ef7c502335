package dev.coppice.compute;

import dev.coppice.storage.Timeline;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Optional;

/**
 * Ends epochs: first the processes that may still write, then the epoch itself, then the local files are marked clean or
 * discarded. Each call blocks; the caller has the timeline's claim.
 */
final class EpochEnd {
    private static final Duration KILL_MAX = Duration.ofSeconds(10);
    private static final Duration LEFTOVERS_MAX = Duration.ofSeconds(5);
    private static final long POLL_MILLIS = 2;

    /** ControlFileData.state and DB_SHUTDOWNED of src/include/catalog/pg_control.h, the same in 14..18. */
    private static final int CONTROL_STATE_OFFSET = 16;

    private static final int CONTROL_STATE_SHUT_DOWN = 1;

    /** DB_SHUTDOWNED_IN_RECOVERY: a hot standby that was stopped. */
    private static final int CONTROL_STATE_SHUT_DOWN_IN_RECOVERY = 2;

    private final ComputeDriver driver;
    private final ComputeUsers users;

    EpochEnd(ComputeDriver driver, ComputeUsers users) {
        this.driver = driver;
        this.users = users;
    }

    /**
     * Ends a timeline's epoch, whatever is left of its compute.
     *
     * @param mayBeClean whether nothing is known against a clean stop; pg_control decides then
     */
    boolean end(Timeline timeline, LocalDirectory local, boolean mayBeClean) throws InterruptedException {
        endProcesses(timeline, local, mayBeClean);
        return endEpoch(timeline, local, mayBeClean);
    }

    /** @throws ComputeException when processes are left that cannot be ended */
    void endProcesses(Timeline timeline, LocalDirectory local, boolean mayBeClean) throws InterruptedException {
        if (awaitNoWriter(timeline, mayBeClean ? LEFTOVERS_MAX : Duration.ZERO)) {
            // What a program has started and taken out of the compute's session does not hold the lock.
            driver.endStrays(local.pgdata());
            endStrays(timeline);
            return;
        }
        driver.killAll(local.pgdata());
        if (!awaitNoWriter(timeline, KILL_MAX)) {
            throw new ComputeException("processes of an earlier compute still hold "
                    + timeline.layout().writerLock() + " and cannot be ended: look with \"fuser "
                    + timeline.layout().writerLock() + "\"");
        }
        endStrays(timeline);
    }

    /** What a program in the compute has started and taken out of its reach: it has the user, and the user is this timeline's alone. */
    private void endStrays(Timeline timeline) throws InterruptedException {
        if (users.apart()) {
            Optional<ComputeUser> user = users.knownOf(timeline.id());
            if (user.isPresent()) {
                UserProcesses.end(user.get(), driver);
            }
        }
    }

    /** Once no process is left. True when the local files can serve the next epoch. */
    boolean endEpoch(Timeline timeline, LocalDirectory local, boolean mayBeClean) {
        long epoch = timeline.currentEpoch();
        timeline.endEpoch();
        try {
            ComputeRecord.delete(timeline.layout().directory());
            // A postmaster that was killed leaves its pid file; one that never ran left no files of this epoch.
            boolean clean = mayBeClean
                    && local.ranIn(epoch)
                    && !local.hasPidFile()
                    && (isShutDown(timeline) || controlState(timeline) == CONTROL_STATE_SHUT_DOWN_IN_RECOVERY);
            if (clean) {
                local.markClean(epoch);
            } else {
                local.discard();
            }
            return clean;
        } catch (IOException e) {
            throw new ComputeException("cannot tidy " + local.directory(), e);
        }
    }

    /** Waits until no process of a compute is left; false when there still is one after the time. */
    private static boolean awaitNoWriter(Timeline timeline, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (timeline.writerRunning()) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }

    static boolean isShutDown(Timeline timeline) {
        return controlState(timeline) == CONTROL_STATE_SHUT_DOWN;
    }

    /** As pg_control has it; -1 when there is none. */
    private static int controlState(Timeline timeline) {
        return timeline.readFile("global/pg_control")
                .map(bytes ->
                        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(CONTROL_STATE_OFFSET))
                .orElse(-1);
    }
}
