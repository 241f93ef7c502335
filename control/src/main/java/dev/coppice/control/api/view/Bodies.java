package dev.coppice.control.api.view;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Request bodies. What is absent is null; fields of features that are not here are left out, and so ignored. */
public final class Bodies {
    private Bodies() {}

    public record CreateProject(@Nullable NewProject project) {}

    public record NewProject(
            @Nullable String name,
            @Nullable Integer pgVersion,
            @Nullable String regionId,
            @Nullable String orgId,
            @Nullable Boolean storePasswords,
            @Nullable Integer historyRetentionSeconds,
            @Nullable FirstBranch branch,
            @Nullable Settings settings,
            @Nullable DefaultEndpointSettings defaultEndpointSettings,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu) {}

    public record FirstBranch(
            @Nullable String name,
            @Nullable String roleName,
            @Nullable String databaseName) {}

    public record UpdateProject(@Nullable ProjectChange project) {}

    public record ProjectChange(
            @Nullable String name,
            @Nullable Integer historyRetentionSeconds,
            @Nullable Settings settings,
            @Nullable DefaultEndpointSettings defaultEndpointSettings) {}

    public record Settings(
            @Nullable AllowedIps allowedIps,
            @Nullable Quota quota,
            @Nullable Boolean enableLogicalReplication,
            @Nullable Boolean blockPublicConnections,
            @Nullable Boolean blockVpcConnections,
            @Nullable Boolean hipaa,
            @Nullable Boolean ownerSuperuser) {}

    public record AllowedIps(
            @Nullable List<@Nullable String> ips, @Nullable Boolean protectedBranchesOnly) {}

    public record Quota(
            @Nullable Long activeTimeSeconds,
            @Nullable Long computeTimeSeconds,
            @Nullable Long writtenDataBytes,
            @Nullable Long dataTransferBytes,
            @Nullable Long logicalSizeBytes) {}

    public record DefaultEndpointSettings(
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Map<String, @Nullable String> pgSettings) {}

    public record CreateBranch(
            @Nullable NewBranch branch,
            @Nullable List<BranchEndpoint> endpoints,
            @Nullable Map<String, @Nullable String> annotationValue) {}

    public record NewBranch(
            @Nullable String name,
            @Nullable String parentId,
            @Nullable String parentLsn,
            @Nullable String parentTimestamp,
            @JsonProperty("protected") @Nullable Boolean isProtected,
            @Nullable String initSource,
            @Nullable String expiresAt) {}

    public record BranchEndpoint(
            @Nullable String type,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable EndpointParameters settings) {}

    public record EndpointParameters(@Nullable Map<String, @Nullable String> pgSettings) {}

    public record UpdateBranch(@Nullable BranchChange branch) {}

    /** @param expiresAt absent = it stays as it is, null = the branch does not expire */
    public record BranchChange(
            @Nullable String name,
            @JsonProperty("protected") @Nullable Boolean isProtected,
            @Nullable JsonNode expiresAt) {}

    public record UpdateSnapshot(@Nullable SnapshotChange snapshot) {}

    /** @param expiresAt as of a branch */
    public record SnapshotChange(
            @Nullable String name, @Nullable JsonNode expiresAt) {}

    public record RestoreSnapshot(
            @Nullable String name,
            @Nullable String targetBranchId,
            @Nullable Boolean finalizeRestore) {}

    public record FinalizeRestore(@Nullable String name) {}

    public record Schedule(@Nullable List<ScheduleItem> schedule) {}

    public record ScheduleItem(
            @Nullable String frequency,
            @Nullable Integer hour,
            @Nullable Integer day,
            @Nullable Integer month,
            @Nullable Integer retentionSeconds) {}

    public record RestoreBranch(
            @Nullable String sourceBranchId,
            @Nullable String sourceLsn,
            @Nullable String sourceTimestamp,
            @Nullable String preserveUnderName) {}

    public record CreateEndpoint(@Nullable NewEndpoint endpoint) {}

    public record NewEndpoint(
            @Nullable String branchId,
            @Nullable String type,
            @Nullable String name,
            @Nullable Boolean disabled,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable EndpointParameters settings) {}

    public record UpdateEndpoint(@Nullable EndpointChange endpoint) {}

    public record EndpointChange(
            @Nullable String name,
            @Nullable Boolean disabled,
            @Nullable Boolean passwordlessAccess,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable EndpointParameters settings) {}

    public record CreateRole(@Nullable NewRole role) {}

    public record NewRole(
            @Nullable String name,
            @Nullable Boolean noLogin,
            @Nullable List<@Nullable String> rights) {}

    public record CreateDatabase(@Nullable NewDatabase database) {}

    public record NewDatabase(
            @Nullable String name, @Nullable String ownerName) {}

    public record UpdateDatabase(@Nullable NewDatabase database) {}
}
