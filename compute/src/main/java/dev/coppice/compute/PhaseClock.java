package dev.coppice.compute;

import com.codahale.metrics.MetricRegistry;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Measures the steps of one operation: a timer {@code <name>.<phase>} each, {@code <name>} for all, a line in the debug log. */
final class PhaseClock {
    private static final Logger log = LoggerFactory.getLogger(PhaseClock.class);

    private final MetricRegistry metrics;
    private final String name;
    private final StringBuilder phases = new StringBuilder();
    private final long start = System.nanoTime();
    private long last = start;

    PhaseClock(MetricRegistry metrics, String name) {
        this.metrics = metrics;
        this.name = name;
    }

    /** Ends a phase. */
    void phase(String phase) {
        long now = System.nanoTime();
        metrics.timer(name + "." + phase).update(now - last, TimeUnit.NANOSECONDS);
        phases.append(' ').append(phase).append(' ').append((now - last) / 1000);
        last = now;
    }

    /** Ends the operation. */
    void finish(String what) {
        long total = last - start;
        metrics.timer(name).update(total, TimeUnit.NANOSECONDS);
        log.debug("{} {}: {} us:{}", name, what, total / 1000, phases);
    }
}
