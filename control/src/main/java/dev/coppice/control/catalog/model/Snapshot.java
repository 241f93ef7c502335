package dev.coppice.control.catalog.model;

import dev.coppice.common.Lsn;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A point of a branch that is kept whatever becomes of the branch.
 *
 * @param sourceBranchId the branch; it may be gone
 * @param timelineId the hidden timeline that holds the point: nobody ever writes to it
 * @param lsn where on the branch it was taken
 * @param timestamp the time asked for, when it was taken of one
 * @param manual false = by a schedule
 * @param expiresAt when it is deleted by itself; absent = never
 */
public record Snapshot(
        String id,
        String projectId,
        String sourceBranchId,
        String name,
        String timelineId,
        Lsn lsn,
        @Nullable Instant timestamp,
        boolean manual,
        Instant createdAt,
        @Nullable Instant expiresAt) {
    public Snapshot renamed(String newName) {
        return new Snapshot(
                id, projectId, sourceBranchId, newName, timelineId, lsn, timestamp, manual, createdAt, expiresAt);
    }

    /** @param end null = never */
    public Snapshot expiringAt(@Nullable Instant end) {
        return new Snapshot(id, projectId, sourceBranchId, name, timelineId, lsn, timestamp, manual, createdAt, end);
    }
}
