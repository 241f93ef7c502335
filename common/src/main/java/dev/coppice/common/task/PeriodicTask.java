package dev.coppice.common.task;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Work that a thread of its own does every so often, or when asked, until it is closed. A run that fails, with whatever
 * {@link Throwable}, is counted and said, once for each streak of failures; the next run comes as if it had gone well.
 *
 * <p>Runs never overlap. The time between two is from the end of the one to the beginning of the other, so a slow run delays
 * the next and nothing piles up. Thread-safe.
 */
public final class PeriodicTask implements AutoCloseable {
    /** What is done each time; an interrupt means that the task is being closed. */
    public interface Work {
        void run() throws Exception;
    }

    private static final Logger log = LoggerFactory.getLogger(PeriodicTask.class);

    /** For {@link #close}: what takes longer than that is left alone, and said. */
    private static final Duration STOP_MAX = Duration.ofSeconds(60);

    /** Longer than anybody waits; what is only done when asked. */
    private static final Duration NEVER = Duration.ofDays(10_000);

    /** When the period cannot be said. */
    private static final Duration PERIOD_UNKNOWN = Duration.ofSeconds(10);

    private final Plan plan;
    private final Work work;
    private final Thread thread;
    private final TaskStatistics statistics;
    private final Semaphore asked = new Semaphore(0);
    private volatile boolean closed;

    /** Failures in a row, and when the first of them was; for the thread. */
    private long streak;

    private long streakBegan;

    private PeriodicTask(Plan plan, Work work) {
        this.plan = plan;
        this.work = work;
        this.statistics = TaskStatistics.of(plan.name, TaskTime.SYSTEM.nanos());
        this.thread = plan.threads.newThread(this::loop);
        this.thread.setName(plan.label());
    }

    /**
     * Begins to describe a task.
     *
     * @param name of its thread, in the log and in the metrics: lower case words with hyphens; one for each kind of work
     */
    public static Plan named(String name) {
        return new Plan(name);
    }

    /** How a task is run. Not thread-safe. */
    public static final class Plan {
        private final String name;
        private String subject = "";
        private Supplier<Duration> period = () -> NEVER;
        private @Nullable Duration first;
        private double jitter;
        private Duration gathering = Duration.ZERO;
        private ThreadFactory threads = Thread.ofVirtual().factory();
        private TaskTime time = TaskTime.SYSTEM;

        private Plan(String name) {
            this.name = Objects.requireNonNull(name);
        }

        /** What it is about, when there are several of the name at once: for the thread's name and the log. */
        public Plan of(String subject) {
            this.subject = " " + subject;
            return this;
        }

        private String label() {
            return name + subject;
        }

        /** The time between two runs. Without it there are only those that are asked for. */
        public Plan every(Duration period) {
            return every(() -> period);
        }

        /** As {@link #every(Duration)}, asked after each run. */
        public Plan every(Supplier<Duration> period) {
            this.period = period;
            return this;
        }

        /** The time before the first run; otherwise it is a period too. */
        public Plan first(Duration first) {
            this.first = first;
            return this;
        }

        /** Up to which part of each period is added to it at random, 0 to 1, so that many processes do not act at once. */
        public Plan jitter(double jitter) {
            this.jitter = jitter;
            return this;
        }

        /** The time between being asked and the run, in which all that is asked becomes one. */
        public Plan gathering(Duration gathering) {
            this.gathering = gathering;
            return this;
        }

        /** Where it runs; otherwise on a virtual thread. */
        public Plan on(ThreadFactory threads) {
            this.threads = threads;
            return this;
        }

        /** For tests. */
        public Plan by(TaskTime time) {
            this.time = time;
            return this;
        }

        /** The task; it does nothing before {@link PeriodicTask#start}. */
        public PeriodicTask doing(Work work) {
            return new PeriodicTask(this, work);
        }

        /** As {@link #doing}, started. */
        public PeriodicTask start(Work work) {
            PeriodicTask task = doing(work);
            task.start();
            return task;
        }
    }

    /** Once. */
    public void start() {
        thread.start();
    }

    /** Wants a run soon: after the one that is going on, which may have begun too early to see what this is about. */
    public void ask() {
        asked.release();
    }

    private void loop() {
        Duration pause = plan.first == null ? period() : plan.first;
        while (!closed) {
            try {
                await(pause);
                if (closed) {
                    return;
                }
                work.run();
                succeeded();
            } catch (InterruptedException e) {
                if (closed) {
                    return;
                }
                failed(e);
            } catch (Throwable e) {
                failed(e);
            }
            pause = period();
        }
    }

    private Duration period() {
        try {
            return plan.period.get();
        } catch (RuntimeException | Error e) {
            failed(e);
            return PERIOD_UNKNOWN;
        }
    }

    private void await(Duration pause) throws InterruptedException {
        double more = plan.jitter == 0 ? 0 : ThreadLocalRandom.current().nextDouble(plan.jitter);
        long due = plan.time.nanos() + (long) (pause.toNanos() * (1 + more));
        long left = due - plan.time.nanos();
        if (left > 0) {
            plan.time.await(asked, left);
            if (!plan.gathering.isZero() && due - plan.time.nanos() > 0) {
                Thread.sleep(plan.gathering);
            }
        }
        asked.drainPermits();
    }

    private void succeeded() {
        statistics.succeeded(TaskTime.SYSTEM.nanos());
        if (streak > 0) {
            log.info(
                    "{} goes on after {} failures in {}",
                    plan.label(),
                    streak,
                    Duration.ofNanos(plan.time.nanos() - streakBegan));
            streak = 0;
        }
    }

    private void failed(Throwable reason) {
        if (closed) {
            log.debug("{} ended with a failure", plan.label(), reason);
            return;
        }
        statistics.failed();
        if (streak == 0) {
            streakBegan = plan.time.nanos();
            log.warn("{} failed; it is tried again, and the next failures in a row are not said", plan.label(), reason);
        }
        streak++;
    }

    /** Asks the task to end, and does not wait; for its own thread too. */
    public void stop() {
        closed = true;
        thread.interrupt();
    }

    /**
     * Ends the task: interrupts a run that is going on, and waits for its end, for a minute at most. On the task's own thread
     * it only asks.
     */
    @Override
    public void close() {
        stop();
        if (thread.getState() == Thread.State.NEW || Thread.currentThread().equals(thread)) {
            return;
        }
        try {
            if (!thread.join(STOP_MAX)) {
                log.error("{} does not end; it is left alone", plan.label());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
