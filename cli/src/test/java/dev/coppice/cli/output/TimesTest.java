package dev.coppice.cli.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimesTest {
    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

    @ParameterizedTest
    @CsvSource({"30,30", "30s,30", "5m,300", "2h,7200", "7d,604800", "1w,604800", "1d12h,129600", "90 minutes,5400"})
    void a_duration_has_one_spelling_everywhere(String text, int seconds) {
        assertThat(Times.seconds(text, "--x")).isEqualTo(seconds);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "soon", "5 fortnights", "-5m", "1h?", "m", "99999999999"})
    void what_is_none_is_refused_by_the_option_that_took_it(String text) {
        assertThatThrownBy(() -> Times.seconds(text, "--retention"))
                .isInstanceOf(CliException.class)
                .hasMessageStartingWith("--retention: ");
    }

    @ParameterizedTest
    @CsvSource({
        "2h,2026-11-21T14:00:00Z",
        "in 2h,2026-11-21T14:00:00Z",
        "+1d,2026-11-22T12:00:00Z",
        "2026-12-01T01:00:00+01:00,2026-12-01T00:00:00Z"
    })
    void a_time_to_come_is_told_from_now_or_exactly(String text, String time) {
        assertThat(Times.ahead(text, "--expires-at", NOW)).isEqualTo(time);
    }

    @ParameterizedTest
    @CsvSource({
        "10m ago,2026-11-21T11:50:00Z",
        "2 minutes ago,2026-11-21T11:58:00Z",
        "-1h,2026-11-21T11:00:00Z",
        "2026-11-21T09:30:00Z,2026-11-21T09:30:00Z"
    })
    void a_past_time_too(String text, String time) {
        assertThat(Times.past(text, NOW)).contains(Instant.parse(time));
    }

    @Test
    void anything_else_is_no_past_time() {
        assertThat(Times.past("yesterday", NOW)).isEmpty();
        assertThat(Times.past("10m", NOW)).isEmpty();
        assertThat(Times.past("2026-11-21 09:30", NOW)).isEmpty();
    }

    @Test
    void a_suspend_time_out_can_be_never() {
        assertThat(Times.suspendSeconds("never", "--x")).isEqualTo(-1);
        assertThat(Times.suspendSeconds("default", "--x")).isZero();
        assertThat(Times.suspendSeconds("5m", "--x")).isEqualTo(300);
        assertThat(Times.text(129_600)).isEqualTo("1d12h");
    }
}
