package dev.coppice.control.api.view;

import dev.coppice.common.Lsn;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.timeline.BranchPointRequest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/** Reads times and places of history as requests give them. */
public final class Points {
    private Points() {}

    /**
     * The point that one of two fields names, or the head.
     *
     * @param field what the two fields' names begin with, as {@code source_}; may be empty
     */
    public static BranchPointRequest point(String field, @Nullable String lsn, @Nullable String timestamp) {
        if (lsn != null && timestamp != null) {
            throw ControlException.invalid(field + "lsn: give this or " + field + "timestamp, not both");
        }
        if (lsn != null) {
            try {
                return new BranchPointRequest.AtLsn(Lsn.parse(lsn));
            } catch (IllegalArgumentException e) {
                throw new ControlException(ControlException.Kind.INVALID, field + "lsn: " + e.getMessage(), e);
            }
        }
        return timestamp == null
                ? new BranchPointRequest.Head()
                : new BranchPointRequest.AtTime(time(field + "timestamp", timestamp));
    }

    /** A time, or null for null. */
    public static @Nullable Instant optionalTime(String field, @Nullable String text) {
        return text == null ? null : time(field, text);
    }

    public static Instant time(String field, String text) {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    field + ": must be an RFC 3339 time with seconds and a zone, like 2026-01-02T03:04:05Z",
                    e);
        }
    }
}
