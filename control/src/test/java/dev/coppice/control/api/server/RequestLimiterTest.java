package dev.coppice.control.api.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RequestLimiterTest {
    private final AtomicLong now = new AtomicLong();

    private void pass(long seconds) {
        now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    @Test
    void a_key_has_a_burst_of_two_seconds_and_then_its_rate() {
        RequestLimiter limiter = new RequestLimiter(5, 0, now::get);
        for (int i = 0; i < 10; i++) {
            assertThat(limiter.allows(1)).isTrue();
        }
        assertThat(limiter.allows(1)).isFalse();
        assertThat(limiter.allows(2)).as("another key").isTrue();
        pass(1);
        for (int i = 0; i < 5; i++) {
            assertThat(limiter.allows(1)).isTrue();
        }
        assertThat(limiter.allows(1)).isFalse();
    }

    @Test
    void wrong_keys_shut_an_address_out_for_a_while() {
        RequestLimiter limiter = new RequestLimiter(0, 3, now::get);
        for (int i = 0; i < 3; i++) {
            assertThat(limiter.mayTry("a")).isTrue();
            limiter.failed("a");
        }
        assertThat(limiter.mayTry("a")).isFalse();
        assertThat(limiter.mayTry("b")).isTrue();
        pass(20);
        assertThat(limiter.mayTry("a")).isTrue();
    }

    @Test
    void zero_is_no_limit() {
        RequestLimiter limiter = new RequestLimiter(0, 0, now::get);
        for (int i = 0; i < 1_000; i++) {
            assertThat(limiter.allows(1)).isTrue();
            limiter.failed("a");
        }
        assertThat(limiter.mayTry("a")).isTrue();
    }

    @Test
    void many_addresses_do_not_fill_the_memory_and_the_limit_still_works() {
        RequestLimiter limiter = new RequestLimiter(0, 1, now::get);
        for (int i = 0; i < 50_000; i++) {
            limiter.failed("address " + i);
        }
        limiter.failed("the last one");
        assertThat(limiter.mayTry("the last one")).isFalse();
    }
}
