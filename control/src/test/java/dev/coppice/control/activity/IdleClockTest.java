package dev.coppice.control.activity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class IdleClockTest {
    private static final Lsn NOWHERE = Lsn.parse("0/1");
    private static final long NO_SESSIONS_MILLIS = 1_000_000_000_000_000L;

    private final IdleClock clock = new IdleClock(at(0));

    @Test
    void without_sessions_idleness_counts_from_the_wake() {
        clock.sampled(new ActivitySample(false, NO_SESSIONS_MILLIS, 3, NOWHERE), at(10));
        assertThat(clock.idleNanos(at(10))).isEqualTo(at(10));
    }

    @Test
    void something_going_on_is_activity_now() {
        clock.sampled(new ActivitySample(true, 60_000, 3, NOWHERE), at(100));
        assertThat(clock.idleNanos(at(103))).isEqualTo(at(3));
    }

    @Test
    void an_open_idle_session_counts_from_its_last_query() {
        clock.sampled(new ActivitySample(false, 4_000, 3, NOWHERE), at(100));
        assertThat(clock.idleNanos(at(100))).isEqualTo(at(4));
        clock.sampled(new ActivitySample(false, 9_000, 3, NOWHERE), at(105));
        assertThat(clock.idleNanos(at(105))).isEqualTo(at(9));
    }

    @Test
    void a_session_that_came_and_left_between_two_samples_is_activity() {
        clock.sampled(new ActivitySample(false, NO_SESSIONS_MILLIS, 3, NOWHERE), at(50));
        clock.sampled(new ActivitySample(false, NO_SESSIONS_MILLIS, 4, NOWHERE), at(51));
        assertThat(clock.idleNanos(at(52))).isEqualTo(at(1));
    }

    @Test
    void the_counter_falling_after_a_reset_of_statistics_is_no_activity() {
        clock.sampled(new ActivitySample(false, NO_SESSIONS_MILLIS, 900, NOWHERE), at(50));
        clock.sampled(new ActivitySample(false, NO_SESSIONS_MILLIS, 1, NOWHERE), at(51));
        assertThat(clock.idleNanos(at(51))).isEqualTo(at(51));
    }

    @Test
    void being_asked_for_is_activity_and_never_moves_back() {
        clock.touched(at(20));
        clock.touched(at(10));
        assertThat(clock.idleNanos(at(25))).isEqualTo(at(5));
    }

    private static long at(long seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }
}
