package dev.coppice.control.catalog.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A change of state that was asked for: recorded with it, kept as history.
 *
 * @param action one of Neon's names ({@code create_branch}, {@code start_compute} ...)
 * @param detail what the operation needs to be resumed after a restart; the form is the action's
 */
public record Operation(
        String id,
        String projectId,
        @Nullable String branchId,
        @Nullable String endpointId,
        String action,
        Status status,
        @Nullable String error,
        @Nullable String detail,
        Instant createdAt,
        Instant updatedAt) {
    public static final String CREATE_BRANCH = "create_branch";
    public static final String CREATE_TIMELINE = "create_timeline";
    public static final String DELETE_TIMELINE = "delete_timeline";
    public static final String DELETE_PROJECT = "delete_project";
    public static final String APPLY_CONFIG = "apply_config";

    /** The same operation, done. */
    public Operation finished(Instant now) {
        return new Operation(id, projectId, branchId, endpointId, action, Status.FINISHED, null, null, createdAt, now);
    }

    /** The part of Neon's statuses that we have: everything else never waits for anybody. */
    public enum Status {
        RUNNING,
        FINISHED,
        FAILED;

        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        public static Status of(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT));
        }
    }
}
