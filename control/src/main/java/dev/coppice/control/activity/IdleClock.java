package dev.coppice.control.activity;

import java.util.concurrent.TimeUnit;

/**
 * How long a compute has been idle, from samples and from being asked for. Times are nanoseconds of a monotonic clock.
 * Guarded by itself.
 */
final class IdleClock {
    private long lastActivityNanos;
    private long sessions = Long.MAX_VALUE;

    IdleClock(long nowNanos) {
        this.lastActivityNanos = nowNanos;
    }

    /** Somebody asked for the compute. */
    synchronized void touched(long nowNanos) {
        lastActivityNanos = Math.max(lastActivityNanos, nowNanos);
    }

    synchronized void sampled(ActivitySample sample, long nowNanos) {
        boolean came = sample.sessions() > sessions;
        sessions = sample.sessions();
        if (sample.busy() || came) {
            touched(nowNanos);
        } else {
            long quietNanos = TimeUnit.MILLISECONDS.toNanos(Math.max(0, sample.quietMillis()));
            // Without sessions the quiet time is a large number, which must not wrap round.
            if (quietNanos < nowNanos - lastActivityNanos) {
                touched(nowNanos - quietNanos);
            }
        }
    }

    synchronized long idleNanos(long nowNanos) {
        return nowNanos - lastActivityNanos;
    }
}
