package dev.coppice.common;

import java.util.regex.Pattern;

/**
 * A position in the write-ahead log, in bytes from its beginning. Compared unsigned; {@link #toString} and {@link
 * #parse} use Postgres's {@code pg_lsn} text form ({@code 16/B374D848}, src/backend/utils/adt/pg_lsn.c).
 */
public record Lsn(long value) implements Comparable<Lsn> {
    /** Before every WAL position; Postgres's InvalidXLogRecPtr. */
    public static final Lsn ZERO = new Lsn(0);

    private static final Pattern TEXT = Pattern.compile("[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}");

    /**
     * Parses {@code XXXXXXXX/XXXXXXXX}, each part one to eight hexadecimal digits.
     *
     * @throws IllegalArgumentException naming the text, when it has another form
     */
    public static Lsn parse(String text) {
        if (!TEXT.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    "not an LSN: \"" + text + "\" (expected two hexadecimal numbers, like 0/16B3748)");
        }
        int slash = text.indexOf('/');
        long high = Long.parseLong(text.substring(0, slash), 16);
        long low = Long.parseLong(text.substring(slash + 1), 16);
        return new Lsn((high << 32) | low);
    }

    /** Whether this position lies strictly after {@code other}. */
    public boolean isAfter(Lsn other) {
        return compareTo(other) > 0;
    }

    /** Whether position {@code a} lies strictly before {@code b}, both as {@link #value} has them: unsigned. */
    public static boolean isBefore(long a, long b) {
        return Long.compareUnsigned(a, b) < 0;
    }

    /** The smaller of both positions. */
    public static long min(long a, long b) {
        return isBefore(b, a) ? b : a;
    }

    /** The larger of both positions. */
    public static long max(long a, long b) {
        return isBefore(a, b) ? b : a;
    }

    /** From position {@code from} to {@code to}, in bytes; 0 when it does not lie behind. */
    public static long distance(long from, long to) {
        return isBefore(from, to) ? to - from : 0;
    }

    /** The smaller of both. */
    public static Lsn min(Lsn a, Lsn b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /** The larger of both. */
    public static Lsn max(Lsn a, Lsn b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toHexString(value >>> 32).toUpperCase(java.util.Locale.ROOT)
                + "/"
                + Long.toHexString(value & 0xFFFF_FFFFL).toUpperCase(java.util.Locale.ROOT);
    }
}
