package dev.coppice.proxy.limit;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LoginLimiterTest {
    private final AtomicLong now = new AtomicLong(123);

    private LoginLimiter limiter(int perAddress, int perEndpoint, int failures) {
        return new LoginLimiter(new RateLimits(perAddress, perEndpoint, failures, 0), now::get);
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (java.net.UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void an_address_may_burst_for_two_seconds_and_then_go_on_at_the_rate() {
        LoginLimiter limiter = limiter(5, 0, 0);
        InetAddress one = address("192.0.2.1");
        for (int i = 0; i < 10; i++) {
            assertThat(limiter.attempt(one)).isTrue();
        }
        assertThat(limiter.attempt(one)).isFalse();
        assertThat(limiter.attempt(address("192.0.2.2"))).isTrue();
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(250));
        assertThat(limiter.attempt(one)).isTrue();
        assertThat(limiter.attempt(one)).isFalse();
    }

    @Test
    void who_guesses_passwords_is_not_heard_for_a_while() {
        LoginLimiter limiter = limiter(0, 0, 3);
        InetAddress guesser = address("2001:db8::1");
        InetAddress neighbour = address("2001:db8::2");
        for (int i = 0; i < 3; i++) {
            assertThat(limiter.attempt(guesser)).isTrue();
            limiter.failure(guesser);
        }
        assertThat(limiter.attempt(guesser)).isFalse();
        assertThat(limiter.attempt(neighbour)).as("the same /64").isFalse();
        assertThat(limiter.attempt(address("2001:db8:1::1"))).isTrue();
        now.addAndGet(TimeUnit.SECONDS.toNanos(21));
        assertThat(limiter.attempt(guesser)).isTrue();
    }

    @Test
    void an_endpoint_has_a_limit_of_its_own() {
        LoginLimiter limiter = limiter(0, 1, 0);
        assertThat(limiter.attempt("ep-a")).isTrue();
        assertThat(limiter.attempt("ep-a")).isTrue();
        assertThat(limiter.attempt("ep-a")).isFalse();
        assertThat(limiter.attempt("ep-b")).isTrue();
    }
}
