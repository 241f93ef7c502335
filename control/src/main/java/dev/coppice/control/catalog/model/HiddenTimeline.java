package dev.coppice.control.catalog.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A timeline that belongs to no branch.
 *
 * @param projectId whose retention applies to it; the project itself may be gone
 * @param endpointId the compute that runs on a moment; absent for a retired timeline
 */
public record HiddenTimeline(
        String timelineId,
        String projectId,
        Kind kind,
        @Nullable String endpointId,
        Instant createdAt) {

    /** Why it is there. */
    public enum Kind {
        /** Its branch was deleted or restored; it goes when no other timeline reads from it. */
        RETIRED,
        /** A past moment that somebody looks at; it goes when nobody does any more. */
        MOMENT,
        /** What a snapshot holds; it stays until the snapshot is deleted. */
        SNAPSHOT,
        /** What a masked timeline reads through its boundary; it goes with that. */
        CLEAN_POINT,
        /** What masked roles of a branch see; it goes when it is too old. */
        MASKED_VIEW;

        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        public static Kind of(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT));
        }
    }
}
