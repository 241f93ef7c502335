package dev.coppice.control.catalog.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotPlanTest {
    @ParameterizedTest
    @CsvSource({
        "hourly,,,, 2026-11-21T09:30:00Z, 2026-11-21T10:00:00Z",
        "hourly,,,, 2026-11-21T10:00:00Z, 2026-11-21T11:00:00Z",
        "daily, 3,,, 2026-11-21T02:59:59Z, 2026-11-21T03:00:00Z",
        "daily, 3,,, 2026-11-21T03:00:00Z, 2026-11-22T03:00:00Z",
        "daily,,,, 2026-12-31T12:00:00Z, 2027-01-01T00:00:00Z",
        "weekly, 5, 1,, 2026-11-21T09:30:00Z, 2026-11-23T05:00:00Z",
        "weekly, 5, 6,, 2026-11-21T05:00:00Z, 2026-11-28T05:00:00Z",
        "monthly, 0, 31,, 2026-11-21T09:30:00Z, 2026-11-30T00:00:00Z",
        "monthly, 0, 31,, 2026-11-30T00:00:00Z, 2026-12-31T00:00:00Z",
        "yearly, 1, 29, 2, 2026-11-21T09:30:00Z, 2027-02-28T01:00:00Z",
        "yearly, 1, 29, 2, 2027-02-28T01:00:00Z, 2028-02-29T01:00:00Z"
    })
    void the_next_time_is_the_first_one_after_now(
            String frequency,
            @Nullable Integer hour,
            @Nullable Integer day,
            @Nullable Integer month,
            Instant now,
            Instant next) {
        SnapshotPlan plan = new SnapshotPlan(SnapshotPlan.Frequency.of(frequency), hour, day, month, null);
        assertThat(plan.after(now)).isEqualTo(next);
    }
}
