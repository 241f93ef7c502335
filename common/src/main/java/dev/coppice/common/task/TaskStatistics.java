package dev.coppice.common.task;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What became of the periodic tasks of this process, by name; tasks of one name are counted together. Process-wide as the log
 * is: tasks belong to parts that know nothing of each other, and whoever watches the process wants all of them. Thread-safe.
 */
public final class TaskStatistics {
    private static final Map<String, TaskStatistics> BY_NAME = new ConcurrentHashMap<>();

    private final LongAdder failures = new LongAdder();
    private volatile long succeededAt;

    private TaskStatistics(long now) {
        succeededAt = now;
    }

    /** Of all tasks that were ever started, by name. */
    public static Map<String, TaskStatistics> all() {
        return new TreeMap<>(BY_NAME);
    }

    static TaskStatistics of(String name, long now) {
        return BY_NAME.computeIfAbsent(name, _ -> new TaskStatistics(now));
    }

    void failed() {
        failures.increment();
    }

    void succeeded(long now) {
        succeededAt = now;
    }

    /** Runs that ended with an exception or an error. */
    public long failures() {
        return failures.sum();
    }

    /** Since a run ended well, or since the first one was planned, in nanoseconds. A task that waits to be asked grows old in peace. */
    public long sinceSuccessNanos() {
        return Math.max(0, TaskTime.SYSTEM.nanos() - succeededAt);
    }
}
