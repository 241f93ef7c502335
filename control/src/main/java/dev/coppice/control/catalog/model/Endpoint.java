package dev.coppice.control.catalog.model;

import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An address, and the compute behind it.
 *
 * @param type {@code read_write}; at most one per branch
 * @param suspendTimeoutSeconds 0 = the configured default, -1 = never
 * @param disabled whether connections are refused
 * @param settings what its owner has set; what is absent is as its project has it
 * @param wasAwake whether its compute ran when the catalog last heard of it; decides what is looked at after a crash
 * @param lastActive the last time a query was seen, roughly
 */
public record Endpoint(
        String id,
        String projectId,
        String branchId,
        String type,
        int suspendTimeoutSeconds,
        boolean disabled,
        EndpointSettings settings,
        boolean wasAwake,
        @Nullable Instant lastActive,
        Instant createdAt,
        Instant updatedAt) {
    public static final String READ_WRITE = "read_write";

    public Endpoint withSuspendTimeout(int seconds, Instant now) {
        return new Endpoint(
                id, projectId, branchId, type, seconds, disabled, settings, wasAwake, lastActive, createdAt, now);
    }

    /** With other settings: everything but what is known of its compute. */
    public Endpoint with(int newSuspendTimeout, boolean nowDisabled, EndpointSettings newSettings, Instant now) {
        return new Endpoint(
                id,
                projectId,
                branchId,
                type,
                newSuspendTimeout,
                nowDisabled,
                newSettings,
                wasAwake,
                lastActive,
                createdAt,
                now);
    }

    public Endpoint withAwake(boolean awake, Instant active) {
        return new Endpoint(
                id,
                projectId,
                branchId,
                type,
                suspendTimeoutSeconds,
                disabled,
                settings,
                awake,
                active,
                createdAt,
                updatedAt);
    }

    /** The same address in front of another branch. */
    public Endpoint of(String newBranchId, Instant now) {
        return new Endpoint(
                id,
                projectId,
                newBranchId,
                type,
                suspendTimeoutSeconds,
                disabled,
                settings,
                false,
                lastActive,
                createdAt,
                now);
    }
}
