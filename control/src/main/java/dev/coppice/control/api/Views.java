package dev.coppice.control.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Objects as the API shows them; the field names and types are Neon's. */
final class Views {
    private Views() {}

    record Failure(String code, String message, String requestId) {}

    record Project(
            String id,
            String name,
            String platformId,
            String regionId,
            String provisioner,
            int pgVersion,
            String proxyHost,
            String ownerId,
            String orgId,
            EndpointSettings defaultEndpointSettings,
            Map<String, Object> settings,
            boolean storePasswords,
            String creationSource,
            long branchLogicalSizeLimit,
            long branchLogicalSizeLimitBytes,
            long cpuUsedSec,
            long activeTime,
            long activeTimeSeconds,
            long computeTimeSeconds,
            long writtenDataBytes,
            long dataTransferBytes,
            long dataStorageBytesHour,
            long historyRetentionSeconds,
            @Nullable Instant deletedAt,
            @Nullable Instant recoverableUntil,
            Instant consumptionPeriodStart,
            Instant createdAt,
            Instant updatedAt) {}

    record EndpointSettings(double autoscalingLimitMinCu, double autoscalingLimitMaxCu, int suspendTimeoutSeconds) {}

    record Branch(
            String id,
            String projectId,
            @Nullable String parentId,
            @Nullable String parentLsn,
            @Nullable Instant parentTimestamp,
            String name,
            String currentState,
            Instant stateChangedAt,
            @Nullable Long logicalSize,
            String creationSource,
            String initSource,
            boolean primary,
            @JsonProperty("default") boolean isDefault,
            @JsonProperty("protected") boolean isProtected,
            long cpuUsedSec,
            long activeTimeSeconds,
            long computeTimeSeconds,
            long writtenDataBytes,
            long dataTransferBytes,
            @Nullable Instant lastResetAt,
            @Nullable Integer ttlIntervalSeconds,
            @Nullable Instant expiresAt,
            @Nullable String restoreStatus,
            @Nullable String restoredFrom,
            @Nullable String restoredAs,
            @Nullable Recovery recovery,
            Instant createdAt,
            Instant updatedAt) {}

    record Recovery(Instant deletedAt, Instant recoverableUntil, String deletionMethod) {}

    record Endpoint(
            String id,
            String projectId,
            String branchId,
            String host,
            int port,
            String proxyHost,
            String type,
            String currentState,
            @Nullable String pendingState,
            double autoscalingLimitMinCu,
            double autoscalingLimitMaxCu,
            int suspendTimeoutSeconds,
            String regionId,
            String provisioner,
            Map<String, Object> settings,
            boolean poolerEnabled,
            String poolerMode,
            boolean disabled,
            boolean passwordlessAccess,
            String creationSource,
            @Nullable Instant lastActive,
            Instant createdAt,
            Instant updatedAt) {}

    record Role(
            String branchId,
            String name,
            @Nullable String password,
            @JsonProperty("protected") boolean isProtected,
            Instant createdAt,
            Instant updatedAt) {}

    record Database(long id, String branchId, String name, String ownerName, Instant createdAt, Instant updatedAt) {}

    record Operation(
            String id,
            String projectId,
            @Nullable String branchId,
            @Nullable String endpointId,
            String action,
            String status,
            @Nullable String error,
            int failuresCount,
            Instant createdAt,
            Instant updatedAt,
            long totalDurationMs) {}

    record ConnectionUri(String connectionUri, ConnectionParameters connectionParameters) {}

    record ConnectionParameters(
            String database, String password, String role, String host, String poolerHost, int port) {}

    record Pagination(
            @Nullable String cursor,
            @Nullable String next,
            @Nullable String sortBy,
            @Nullable String sortOrder) {}

    record Projects(List<Project> projects, Pagination pagination) {}

    record OneProject(Project project) {}

    record CreatedProject(
            Project project,
            Branch branch,
            List<Endpoint> endpoints,
            List<Role> roles,
            List<Database> databases,
            List<Operation> operations,
            List<ConnectionUri> connectionUris) {}

    record Branches(List<Branch> branches, Map<String, Object> annotations, Pagination pagination) {}

    record OneBranch(Branch branch, @Nullable Map<String, Object> annotation) {}

    record ChangedBranch(Branch branch, List<Operation> operations) {}

    record CreatedBranch(
            Branch branch,
            List<Endpoint> endpoints,
            List<Role> roles,
            List<Database> databases,
            List<Operation> operations,
            List<ConnectionUri> connectionUris) {}

    record Endpoints(List<Endpoint> endpoints) {}

    record OneEndpoint(Endpoint endpoint) {}

    record ChangedEndpoint(Endpoint endpoint, List<Operation> operations) {}

    record Roles(List<Role> roles) {}

    record OneRole(Role role) {}

    record ChangedRole(Role role, List<Operation> operations) {}

    record Password(String password) {}

    record Databases(List<Database> databases) {}

    record OneDatabase(Database database) {}

    record ChangedDatabase(Database database, List<Operation> operations) {}

    record Operations(List<Operation> operations, Pagination pagination) {}

    record OneOperation(Operation operation) {}

    record Uri(String uri) {}
}
