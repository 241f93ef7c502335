package dev.coppice.common.task;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The time that periodic tasks go by; a test has its own, and moves it. Thread-safe. */
public interface TaskTime {
    /** The machine's. */
    TaskTime SYSTEM = new TaskTime() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public void await(Semaphore asked, long nanos) throws InterruptedException {
            boolean _ = asked.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        }
    };

    /** As {@link System#nanoTime}: only differences mean something. */
    long nanos();

    /** Waits until a permit could be taken, which it takes, or the time has passed. */
    void await(Semaphore asked, long nanos) throws InterruptedException;
}
