package dev.coppice.control.catalog.model;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A branch as users see it.
 *
 * @param parentId absent for the first branch of a project
 * @param parentLsn where it left its parent; a record boundary
 * @param parentTimestamp the time asked for, when it was made for a point in time
 * @param timelineId its storage; another one after a reset or restore
 * @param lastResetAt when it was last reset or restored
 * @param continuesParent whether the parent preserves what this branch was before a restore to a moment of its own past;
 *     such a parent can be deleted without this branch
 * @param life where it came from, and when it ends
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
        @Nullable Instant lastResetAt,
        boolean continuesParent,
        BranchLife life,
        Instant createdAt,
        Instant updatedAt) {

    /** Where a child begins on this branch's parent: at its own point, or where this branch began if that was earlier. */
    public Origin inheritedBy(Branch child) {
        Lsn own = child.parentLsn();
        if (own == null || parentLsn == null || own.isAfter(parentLsn)) {
            return origin();
        }
        return new Origin(parentId, own, child.parentTimestamp(), continuesParent);
    }

    /** Its storage. */
    public TimelineId timeline() {
        return new TimelineId(timelineId);
    }

    /** An ordinary branch, which does not expire. */
    public Branch(
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
            @Nullable Instant lastResetAt,
            boolean continuesParent,
            Instant createdAt,
            Instant updatedAt) {
        this(
                id,
                projectId,
                parentId,
                parentLsn,
                parentTimestamp,
                name,
                timelineId,
                state,
                isDefault,
                isProtected,
                creationSource,
                lastResetAt,
                continuesParent,
                BranchLife.ORDINARY,
                createdAt,
                updatedAt);
    }

    public Branch renamed(String newName, Instant now) {
        return changed(now, change -> change.name = newName);
    }

    public Branch in(BranchState newState, Instant now) {
        return changed(now, change -> change.state = newState);
    }

    public Branch asDefault(boolean nowDefault, Instant now) {
        return changed(now, change -> change.isDefault = nowDefault);
    }

    public Branch asProtected(boolean nowProtected, Instant now) {
        return changed(now, change -> change.isProtected = nowProtected);
    }

    /** Where a branch begins: everything about its parent. */
    public record Origin(
            @Nullable String parentId,
            @Nullable Lsn lsn,
            @Nullable Instant timestamp,
            boolean continuesParent) {}

    public Origin origin() {
        return new Origin(parentId, parentLsn, parentTimestamp, continuesParent);
    }

    /** The same branch below another parent; its storage stays. */
    public Branch below(Origin origin, Instant now) {
        return changed(now, change -> change.origin = origin);
    }

    public Branch living(BranchLife newLife, Instant now) {
        return changed(now, change -> change.life = newLife);
    }

    /** Whether it was deleted, perhaps to be recovered. */
    public boolean isGone() {
        return state.isGone();
    }

    /** The same branch on another timeline, as after a restore. */
    public Branch restored(String newTimelineId, Origin origin, Instant now) {
        return changed(now, change -> {
            change.timelineId = newTimelineId;
            change.origin = origin;
            change.lastResetAt = now;
            change.life = life.begunAgain(now);
        });
    }

    private Branch changed(Instant now, Consumer<Change> what) {
        Change change = new Change(this);
        what.accept(change);
        return new Branch(
                id,
                projectId,
                change.origin.parentId(),
                change.origin.lsn(),
                change.origin.timestamp(),
                change.name,
                change.timelineId,
                change.state,
                change.isDefault,
                change.isProtected,
                creationSource,
                change.lastResetAt,
                change.origin.continuesParent(),
                change.life,
                createdAt,
                now);
    }

    /** What of a branch may change. */
    private static final class Change {
        private Origin origin;
        private String name;
        private String timelineId;
        private BranchState state;
        private boolean isDefault;
        private boolean isProtected;
        private @Nullable Instant lastResetAt;
        private BranchLife life;

        Change(Branch branch) {
            origin = branch.origin();
            name = branch.name;
            timelineId = branch.timelineId;
            state = branch.state;
            isDefault = branch.isDefault;
            isProtected = branch.isProtected;
            lastResetAt = branch.lastResetAt;
            life = branch.life;
        }
    }
}
