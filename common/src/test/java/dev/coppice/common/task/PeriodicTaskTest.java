package dev.coppice.common.task;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PeriodicTaskTest {
    private final ManualTime time = new ManualTime();
    private final BlockingQueue<Integer> runs = new LinkedBlockingQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private PeriodicTask task = PeriodicTask.named("none").doing(() -> {});

    @AfterEach
    void close() {
        task.close();
    }

    private static long failures(String name) {
        return Objects.requireNonNull(TaskStatistics.all().get(name)).failures();
    }

    @Test
    void it_runs_once_for_each_period() throws Exception {
        task = minutely("periodic").start(this::note);
        time.awaitSleeper();
        assertThat(runs).isEmpty();

        time.pass(Duration.ofMinutes(1));
        assertThat(runs.take()).isEqualTo(1);

        time.awaitSleeper();
        time.pass(Duration.ofSeconds(59));
        time.awaitSleeper();
        assertThat(runs).isEmpty();
        time.pass(Duration.ofSeconds(1));
        assertThat(runs.take()).isEqualTo(2);
    }

    @Test
    void what_fails_is_counted_and_run_again_errors_too() throws Exception {
        task = minutely("failing").start(() -> {
            note();
            switch (count.get()) {
                case 1 -> throw new IllegalStateException("first");
                case 2 -> throw new StackOverflowError("second");
                case 3 -> throw new IOException("third");
                default -> {}
            }
        });

        for (int run = 1; run <= 4; run++) {
            time.awaitSleeper();
            time.pass(Duration.ofMinutes(1));
            assertThat(runs.take()).isEqualTo(run);
        }

        time.awaitSleeper();
        assertThat(failures("failing")).isEqualTo(3);
    }

    @Test
    void who_asks_gets_a_run_that_began_afterwards() throws Exception {
        Semaphore mayEnd = new Semaphore(0);
        task = PeriodicTask.named("asked").by(time).start(() -> {
            note();
            mayEnd.acquire();
        });

        task.ask();
        assertThat(runs.take()).isEqualTo(1);
        task.ask();
        task.ask();
        mayEnd.release();

        assertThat(runs.take()).isEqualTo(2);
        mayEnd.release();
        time.awaitSleeper();
        assertThat(runs).isEmpty();
    }

    @Test
    void a_period_that_cannot_be_said_ends_nothing() throws Exception {
        task = PeriodicTask.named("unsaid")
                .by(time)
                .every(() -> {
                    throw new IllegalStateException("no period");
                })
                .start(this::note);
        time.awaitSleeper();
        time.pass(Duration.ofMinutes(1));
        assertThat(runs.take()).isEqualTo(1);
    }

    @Test
    void closing_interrupts_a_run_and_waits_for_its_end() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        task = PeriodicTask.named("closing").start(() -> {
            began.countDown();
            try {
                Thread.sleep(Duration.ofDays(1));
            } finally {
                ended.countDown();
            }
        });
        task.ask();
        began.await();

        task.close();

        assertThat(ended.getCount()).isZero();
        assertThat(failures("closing")).isZero();
    }

    @Test
    void a_run_may_close_its_own_task() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        task = PeriodicTask.named("closes-itself").doing(() -> {
            task.close();
            closed.countDown();
        });
        task.start();
        task.ask();
        closed.await();
    }

    private PeriodicTask.Plan minutely(String name) {
        return PeriodicTask.named(name).every(Duration.ofMinutes(1)).by(time);
    }

    private void note() {
        runs.add(count.incrementAndGet());
    }

    /** Time that passes when the test says so. */
    private static final class ManualTime implements TaskTime {
        private long now;
        private boolean sleeping;

        @Override
        public synchronized long nanos() {
            return now;
        }

        @Override
        public synchronized void await(Semaphore asked, long nanos) throws InterruptedException {
            long due = now + nanos;
            sleeping = true;
            notifyAll();
            try {
                while (now - due < 0 && !asked.tryAcquire()) {
                    TimeUnit.MILLISECONDS.timedWait(this, 1);
                }
            } finally {
                sleeping = false;
            }
        }

        /** Waits until the task sleeps. */
        synchronized void awaitSleeper() throws InterruptedException {
            while (!sleeping) {
                wait();
            }
        }

        /** As it sleeps on afterwards, or runs. */
        synchronized void pass(Duration passed) {
            now += passed.toNanos();
        }
    }
}
