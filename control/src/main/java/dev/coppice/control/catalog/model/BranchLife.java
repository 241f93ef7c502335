package dev.coppice.control.catalog.model;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Where a branch came from and when it ends.
 *
 * @param initSource {@link #PARENT_DATA} or {@link #SCHEMA_ONLY}
 * @param expiresAt when it is deleted by itself; absent = never
 * @param ttlSeconds from when {@code expiresAt} was set to then; a reset sets it again so far ahead
 * @param deletedAt when it was deleted; its storage is still there while it can be recovered
 * @param deletionMethod {@link #BY_USER}, {@link #BY_EXPIRY} or {@link #WITH_PROJECT}
 * @param restoredFrom the snapshot that it was made from
 * @param restoredAs the branch that it replaces, or is to replace
 * @param restoreStatus {@link #RESTORED} or {@link #FINALIZED}, for a branch made from a snapshot
 */
public record BranchLife(
        String initSource,
        @Nullable Instant expiresAt,
        @Nullable Integer ttlSeconds,
        @Nullable Instant deletedAt,
        @Nullable String deletionMethod,
        @Nullable String restoredFrom,
        @Nullable String restoredAs,
        @Nullable String restoreStatus) {
    public static final String PARENT_DATA = "parent-data";
    public static final String SCHEMA_ONLY = "schema-only";
    public static final String BY_USER = "user";
    public static final String BY_EXPIRY = "ttl";
    public static final String WITH_PROJECT = "project";
    public static final String RESTORED = "restored";
    public static final String FINALIZED = "finalized";

    /** A branch of its parent's data without an end. */
    public static final BranchLife ORDINARY = new BranchLife(PARENT_DATA, null, null, null, null, null, null, null);

    public BranchLife withSource(String source) {
        return new BranchLife(
                source, expiresAt, ttlSeconds, deletedAt, deletionMethod, restoredFrom, restoredAs, restoreStatus);
    }

    /** @param end null = never */
    public BranchLife expiringAt(@Nullable Instant end, Instant now) {
        Integer seconds =
                end == null ? null : Math.toIntExact(Duration.between(now, end).toSeconds());
        return new BranchLife(
                initSource, end, seconds, deletedAt, deletionMethod, restoredFrom, restoredAs, restoreStatus);
    }

    /** After a reset or restore: the data is a parent's, and the time to live begins again. */
    BranchLife begunAgain(Instant now) {
        Instant end = ttlSeconds == null ? null : now.plusSeconds(ttlSeconds);
        return new BranchLife(PARENT_DATA, end, ttlSeconds, null, null, null, null, null);
    }

    public BranchLife deleted(Instant when, String method) {
        return new BranchLife(initSource, expiresAt, ttlSeconds, when, method, restoredFrom, restoredAs, restoreStatus);
    }

    /** What was recovered does not expire: it would at once. */
    public BranchLife recovered() {
        return new BranchLife(initSource, null, null, null, null, restoredFrom, restoredAs, restoreStatus);
    }

    /** @param target the branch that it is to replace, or has replaced */
    public BranchLife fromSnapshot(String snapshotId, String target, String status) {
        return new BranchLife(initSource, expiresAt, ttlSeconds, deletedAt, deletionMethod, snapshotId, target, status);
    }

    public boolean isSchemaOnly() {
        return initSource.equals(SCHEMA_ONLY);
    }
}
