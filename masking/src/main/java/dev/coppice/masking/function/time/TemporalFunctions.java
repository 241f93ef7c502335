package dev.coppice.masking.function.time;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.function.time.TemporalMask.TemporalFunction;
import dev.coppice.masking.function.value.RefusedFunctionException;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Functions on dates and times. Times with a zone are taken in UTC. */
public final class TemporalFunctions {
    /** Day 0 of Postgres's calendar. */
    public static final LocalDate EPOCH = LocalDate.of(2000, 1, 1);

    private static final long NOISE = PseudoRandom.label("dnoise");
    private static final long BETWEEN = PseudoRandom.label("random_date_between");
    private static final Pattern INTERVAL =
            Pattern.compile("\\s*(\\d{1,9})\\s*([a-z]+?)s?\\s*", Pattern.CASE_INSENSITIVE);
    private static final Map<String, Long> MICROS = Map.of(
            "second",
            1_000_000L,
            "minute",
            60_000_000L,
            "hour",
            3_600_000_000L,
            "day",
            TemporalMask.MICROS_PER_DAY,
            "week",
            7 * TemporalMask.MICROS_PER_DAY,
            "month",
            30 * TemporalMask.MICROS_PER_DAY,
            "year",
            365 * TemporalMask.MICROS_PER_DAY);

    private TemporalFunctions() {}

    /** Microseconds of {@code '30 days'}; a month has 30 days, a year 365. */
    public static long interval(String text) {
        Matcher matcher = INTERVAL.matcher(text);
        Long unit = matcher.matches() ? MICROS.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
        try {
            if (unit != null) {
                return Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
            }
        } catch (ArithmeticException e) {
            throw new RefusedFunctionException("the interval '" + text + "' is too long");
        }
        throw new RefusedFunctionException("'" + text
                + "' is no interval: write a number and seconds, minutes, hours, days, weeks, months or years");
    }

    public static byte[] bytes(long value) {
        byte[] bytes = new byte[Long.BYTES];
        LittleEndian.put64(bytes, 0, value);
        return bytes;
    }

    /** Moves a time by up to so much, up or down; the same time always to the same. */
    public record Noise(long micros) implements TemporalFunction {
        @Override
        public long apply(PseudoRandom random, long value, long unitsPerDay) {
            long most = unitsPerDay == 1 ? micros / TemporalMask.MICROS_PER_DAY : micros;
            return saturated(value, random.stream(NOISE, bytes(value)).between(-most, most));
        }
    }

    static long saturated(long value, long by) {
        long sum = value + by;
        return ((value ^ sum) & (by ^ sum)) < 0 ? (by < 0 ? Long.MIN_VALUE : Long.MAX_VALUE) : sum;
    }

    /** A time between two, both included. */
    public record Between(LocalDateTime least, LocalDateTime greatest) implements TemporalFunction {
        @Override
        public long apply(PseudoRandom random, long value, long unitsPerDay) {
            RandomStream stream = random.stream(BETWEEN, bytes(value));
            return stream.between(sinceEpoch(least, unitsPerDay), sinceEpoch(greatest, unitsPerDay));
        }
    }

    /** Always the same. */
    public record Constant(LocalDateTime time) implements TemporalFunction {
        @Override
        public long apply(PseudoRandom random, long value, long unitsPerDay) {
            return sinceEpoch(time, unitsPerDay);
        }
    }

    public static long sinceEpoch(LocalDateTime time, long unitsPerDay) {
        long days = time.toLocalDate().toEpochDay() - EPOCH.toEpochDay();
        return unitsPerDay == 1
                ? days
                : Math.addExact(
                        Math.multiplyExact(days, TemporalMask.MICROS_PER_DAY),
                        time.toLocalTime().toNanoOfDay() / 1000);
    }

    /** The beginning of the unit that a time lies in. */
    public record Truncate(ChronoUnit unit) implements TemporalFunction {
        public static Truncate of(String unit) {
            String wanted = unit.toUpperCase(Locale.ROOT).replaceAll("S$", "") + "S";
            return switch (wanted) {
                case "SECONDS", "MINUTES", "HOURS", "DAYS", "WEEKS", "MONTHS", "YEARS", "DECADES" ->
                    new Truncate(ChronoUnit.valueOf(wanted));
                default ->
                    throw new RefusedFunctionException(
                            "'" + unit + "' is no unit: use second, minute, hour, day, week, month, year or decade");
            };
        }

        @Override
        public long apply(PseudoRandom random, long value, long unitsPerDay) {
            if (!unit.isDateBased() || unit == ChronoUnit.DAYS) {
                long length =
                        Math.max(1, unit.getDuration().toNanos() / 1000 / (TemporalMask.MICROS_PER_DAY / unitsPerDay));
                return value - Math.floorMod(value, length);
            }
            LocalDate day = EPOCH.plusDays(Math.floorDiv(value, unitsPerDay));
            LocalDate first = switch (unit) {
                case WEEKS -> day.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
                case MONTHS -> day.withDayOfMonth(1);
                case YEARS -> day.withDayOfYear(1);
                default -> day.withDayOfYear(1).withYear(Math.floorDiv(day.getYear(), 10) * 10);
            };
            return sinceEpoch(first.atTime(0, 0), unitsPerDay);
        }
    }

    /** A date, or a date and a time, in ISO 8601 with a T or a blank. */
    public static LocalDateTime parse(String text) {
        String iso = text.strip().replace(' ', 'T');
        try {
            if (iso.indexOf('T') < 0) {
                return LocalDate.parse(iso).atTime(0, 0);
            }
            return iso.endsWith("Z")
                    ? java.time.Instant.parse(iso).atOffset(ZoneOffset.UTC).toLocalDateTime()
                    : LocalDateTime.parse(iso);
        } catch (java.time.DateTimeException e) {
            throw new RefusedFunctionException(
                    "'" + text + "' is no date or time like 2026-01-31 or 2026-01-31 12:00:00");
        }
    }
}
