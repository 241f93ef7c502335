package dev.coppice.control.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Request bodies. What is absent is null; fields of features that are not here are left out, and so ignored. */
final class Bodies {
    private Bodies() {}

    record CreateProject(@Nullable NewProject project) {}

    record NewProject(
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

    record FirstBranch(
            @Nullable String name,
            @Nullable String roleName,
            @Nullable String databaseName) {}

    record UpdateProject(@Nullable ProjectChange project) {}

    record ProjectChange(
            @Nullable String name,
            @Nullable Integer historyRetentionSeconds,
            @Nullable Settings settings,
            @Nullable DefaultEndpointSettings defaultEndpointSettings) {}

    record Settings(
            @Nullable AllowedIps allowedIps,
            @Nullable Quota quota,
            @Nullable Boolean enableLogicalReplication,
            @Nullable Boolean blockPublicConnections,
            @Nullable Boolean blockVpcConnections,
            @Nullable Boolean hipaa,
            @Nullable Boolean ownerSuperuser) {}

    record AllowedIps(
            @Nullable List<@Nullable String> ips, @Nullable Boolean protectedBranchesOnly) {}

    record Quota(
            @Nullable Long activeTimeSeconds,
            @Nullable Long computeTimeSeconds,
            @Nullable Long writtenDataBytes,
            @Nullable Long dataTransferBytes,
            @Nullable Long logicalSizeBytes) {}

    record DefaultEndpointSettings(
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Map<String, @Nullable String> pgSettings) {}

    record CreateBranch(
            @Nullable NewBranch branch,
            @Nullable List<BranchEndpoint> endpoints,
            @Nullable Map<String, @Nullable String> annotationValue) {}

    record NewBranch(
            @Nullable String name,
            @Nullable String parentId,
            @Nullable String parentLsn,
            @Nullable String parentTimestamp,
            @JsonProperty("protected") @Nullable Boolean isProtected,
            @Nullable String initSource,
            @Nullable String expiresAt) {}

    record BranchEndpoint(
            @Nullable String type,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable EndpointParameters settings) {}

    record EndpointParameters(@Nullable Map<String, @Nullable String> pgSettings) {}

    record UpdateBranch(@Nullable BranchChange branch) {}

    /** @param expiresAt absent = it stays as it is, null = the branch does not expire */
    record BranchChange(
            @Nullable String name,
            @JsonProperty("protected") @Nullable Boolean isProtected,
            @Nullable JsonNode expiresAt) {}

    record UpdateSnapshot(@Nullable SnapshotChange snapshot) {}

    /** @param expiresAt as of a branch */
    record SnapshotChange(@Nullable String name, @Nullable JsonNode expiresAt) {}

    record RestoreSnapshot(
            @Nullable String name,
            @Nullable String targetBranchId,
            @Nullable Boolean finalizeRestore) {}

    record FinalizeRestore(@Nullable String name) {}

    record Schedule(@Nullable List<ScheduleItem> schedule) {}

    record ScheduleItem(
            @Nullable String frequency,
            @Nullable Integer hour,
            @Nullable Integer day,
            @Nullable Integer month,
            @Nullable Integer retentionSeconds) {}

    record RestoreBranch(
            @Nullable String sourceBranchId,
            @Nullable String sourceLsn,
            @Nullable String sourceTimestamp,
            @Nullable String preserveUnderName) {}

    record CreateEndpoint(@Nullable NewEndpoint endpoint) {}

    record NewEndpoint(
            @Nullable String branchId,
            @Nullable String type,
            @Nullable String name,
            @Nullable Boolean disabled,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable EndpointParameters settings) {}

    record UpdateEndpoint(@Nullable EndpointChange endpoint) {}

    record EndpointChange(
            @Nullable String name,
            @Nullable Boolean disabled,
            @Nullable Boolean passwordlessAccess,
            @Nullable Integer suspendTimeoutSeconds,
            @Nullable Double autoscalingLimitMinCu,
            @Nullable Double autoscalingLimitMaxCu,
            @Nullable EndpointParameters settings) {}

    record CreateRole(@Nullable NewRole role) {}

    record NewRole(
            @Nullable String name,
            @Nullable Boolean noLogin,
            @Nullable List<@Nullable String> rights) {}

    record CreateDatabase(@Nullable NewDatabase database) {}

    record NewDatabase(@Nullable String name, @Nullable String ownerName) {}

    record UpdateDatabase(@Nullable NewDatabase database) {}
}
