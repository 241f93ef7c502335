package dev.coppice.control.catalog;

import dev.coppice.common.Lsn;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A branch as users see it.
 *
 * @param parentId absent for the first branch of a project
 * @param parentLsn where it left its parent; a record boundary
 * @param parentTimestamp the time asked for, when it was made for a point in time
 * @param timelineId its storage; another one after a reset or restore
 */
public record Branch(
        String id,
        String projectId,
        @Nullable String parentId,
        @Nullable Lsn parentLsn,
        @Nullable Instant parentTimestamp,
        String name,
        String timelineId,
        BranchState state,
        boolean isDefault,
        boolean isProtected,
        String creationSource,
        Instant createdAt,
        Instant updatedAt) {

    public Branch renamed(String newName, Instant now) {
        return new Branch(
                id,
                projectId,
                parentId,
                parentLsn,
                parentTimestamp,
                newName,
                timelineId,
                state,
                isDefault,
                isProtected,
                creationSource,
                createdAt,
                now);
    }

    public Branch in(BranchState newState, Instant now) {
        return new Branch(
                id,
                projectId,
                parentId,
                parentLsn,
                parentTimestamp,
                name,
                timelineId,
                newState,
                isDefault,
                isProtected,
                creationSource,
                createdAt,
                now);
    }
}
