package dev.coppice.control.catalog.model;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalTime;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How often a branch's snapshots are taken; all times are UTC.
 *
 * @param hour 0 to 23, absent = 0; means nothing for an hourly one
 * @param day of the week, 1 = Monday to 7, for a weekly one; of the month, 1 to 31, for a monthly or yearly one, the last
 *     day of a shorter month; absent = 1
 * @param month 1 to 12, for a yearly one; absent = 1
 * @param retentionSeconds until such a snapshot is deleted, at least {@value #RETENTION_MIN_SECONDS}; absent = never
 */
public record SnapshotPlan(
        Frequency frequency,
        @Nullable Integer hour,
        @Nullable Integer day,
        @Nullable Integer month,
        @Nullable Integer retentionSeconds) {
    public static final int RETENTION_MIN_SECONDS = 3600;

    /** How often. */
    public enum Frequency {
        HOURLY,
        DAILY,
        WEEKLY,
        MONTHLY,
        YEARLY;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** @throws IllegalArgumentException for anything else */
        public static Frequency of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    /** The first time after {@code now}. */
    public Instant after(Instant now) {
        ZonedDateTime here = now.atZone(ZoneOffset.UTC);
        if (frequency == Frequency.HOURLY) {
            return here.truncatedTo(ChronoUnit.HOURS).plusHours(1).toInstant();
        }
        ZonedDateTime at = here.with(LocalTime.of(Objects.requireNonNullElse(hour, 0), 0));
        int wanted = Objects.requireNonNullElse(day, 1);
        ZonedDateTime next = switch (frequency) {
            case HOURLY, DAILY -> at.isAfter(here) ? at : at.plusDays(1);
            case WEEKLY -> {
                ZonedDateTime day = at.with(TemporalAdjusters.nextOrSame(DayOfWeek.of(wanted)));
                yield day.isAfter(here) ? day : day.plusWeeks(1);
            }
            case MONTHLY -> {
                ZonedDateTime day = on(at, YearMonth.from(at), wanted);
                yield day.isAfter(here) ? day : on(at, YearMonth.from(at).plusMonths(1), wanted);
            }
            case YEARLY -> {
                YearMonth in = YearMonth.of(at.getYear(), Objects.requireNonNullElse(month, 1));
                ZonedDateTime day = on(at, in, wanted);
                yield day.isAfter(here) ? day : on(at, in.plusYears(1), wanted);
            }
        };
        return next.toInstant();
    }

    private static ZonedDateTime on(ZonedDateTime time, YearMonth month, int day) {
        return month.atDay(Math.min(day, month.lengthOfMonth()))
                .atTime(time.toLocalTime())
                .atZone(ZoneOffset.UTC);
    }
}
