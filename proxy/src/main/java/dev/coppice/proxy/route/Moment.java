package dev.coppice.proxy.route;

import dev.coppice.common.Lsn;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.regex.Pattern;

/** A moment in a branch's past that a client wants to look at. */
public sealed interface Moment {
    /** The state after the last complete WAL record at or before this position. */
    record AtLsn(Lsn lsn) implements Moment {
        @Override
        public String toString() {
            return lsn.toString();
        }
    }

    /** The state after the last commit at or before this time. */
    record AtTime(Instant time) implements Moment {
        @Override
        public String toString() {
            return time.toString();
        }
    }

    /** What is meant as a moment, well-formed or not, and is hardly a name: {@code 0/16B3748}, {@code 2026-01-02...}. */
    Pattern LIKE_ONE = Pattern.compile("[0-9A-Fa-f]*/[0-9A-Fa-f]*|\\d{4}-\\d\\d-\\d\\d.*");

    /** Reads an LSN or an RFC 3339 time with its zone; the text of either can be read again. */
    public static Optional<Moment> parse(String text) {
        return lsn(text).or(() -> time(text));
    }

    /** Reads an LSN: two hexadecimal numbers of up to eight digits with a slash between. */
    static Optional<Moment> lsn(String text) {
        try {
            return Optional.of(new AtLsn(Lsn.parse(text)));
        } catch (IllegalArgumentException notOne) {
            return Optional.empty();
        }
    }

    /** Reads a time with seconds and a zone, as RFC 3339 has it. */
    static Optional<Moment> time(String text) {
        try {
            return Optional.of(new AtTime(OffsetDateTime.parse(text).toInstant()));
        } catch (DateTimeException notOne) {
            return Optional.empty();
        }
    }
}
