package dev.coppice.control.upkeep;

import dev.coppice.common.task.ForEach;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.control.deletion.Expiry;
import dev.coppice.control.deletion.Recovery;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.snapshot.SnapshotWorkflows;
import java.time.Duration;
import java.util.List;

/** Does what is due by the clock: branches, snapshots and masked views that expire, snapshots by schedule, ends of recovery windows. */
public final class Deadlines implements AutoCloseable {
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final PeriodicTask task;

    public Deadlines(Expiry expiry, Recovery recovery, SnapshotWorkflows snapshots, MaskedViews views) {
        this.task = PeriodicTask.named("deadlines")
                .first(Duration.ZERO)
                .every(INTERVAL)
                .doing(() -> ForEach.of(
                        List.of(expiry::deleteExpired, recovery::purge, snapshots::keepUp, views::expire),
                        Runnable::run));
    }

    /** Begins to look, at once and then every second. */
    public void start() {
        task.start();
    }

    /** Stops looking; waits for what is being done. */
    @Override
    public void close() {
        task.close();
    }
}
