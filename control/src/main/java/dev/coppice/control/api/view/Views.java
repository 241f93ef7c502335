package dev.coppice.control.api.view;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.coppice.control.catalog.model.BranchNotes;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Objects as the API shows them; the field names and types are Neon's. */
public final class Views {
    private Views() {}

    public record Project(
            String id,
            String name,
            String platformId,
            String regionId,
            String provisioner,
            int pgVersion,
            String proxyHost,
            String ownerId,
            String orgId,
            EndpointDefaults defaultEndpointSettings,
            Settings settings,
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
            Instant consumptionPeriodEnd,
            @Nullable Instant computeLastActiveAt,
            Instant createdAt,
            Instant updatedAt) {}

    public record EndpointDefaults(
            double autoscalingLimitMinCu,
            double autoscalingLimitMaxCu,
            int suspendTimeoutSeconds,
            Map<String, String> pgSettings) {}

    public record Settings(
            AllowedIps allowedIps,
            boolean enableLogicalReplication,
            @Nullable Quota quota,
            boolean blockPublicConnections,
            boolean blockVpcConnections,
            boolean hipaa,
            boolean ownerSuperuser) {}

    public record AllowedIps(List<String> ips, boolean protectedBranchesOnly) {}

    public record Quota(
            @Nullable Long activeTimeSeconds,
            @Nullable Long computeTimeSeconds,
            @Nullable Long writtenDataBytes,
            @Nullable Long logicalSizeBytes) {}

    public record Branch(
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
            @Nullable List<String> switchedOff,
            @Nullable List<String> settingsLeftOut,
            @Nullable String startError,
            String kind,
            Instant createdAt,
            Instant updatedAt) {}

    public record Recovery(Instant deletedAt, Instant recoverableUntil, String deletionMethod) {}

    /** @param writeDelayMicroseconds that its compute waits before each page it writes; absent unless it is slowed down */
    public record Endpoint(
            String id,
            @Nullable String name,
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
            EndpointParameters settings,
            boolean poolerEnabled,
            String poolerMode,
            boolean disabled,
            boolean passwordlessAccess,
            String creationSource,
            @Nullable Instant lastActive,
            @Nullable Integer writeDelayMicroseconds,
            Instant createdAt,
            Instant updatedAt) {}

    public record EndpointParameters(Map<String, String> pgSettings) {}

    public record Role(
            String branchId,
            String name,
            @Nullable String password,
            @JsonProperty("protected") boolean isProtected,
            Instant createdAt,
            Instant updatedAt) {}

    public record Database(
            long id, String branchId, String name, String ownerName, Instant createdAt, Instant updatedAt) {}

    public record Operation(
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
            long totalDurationMs,
            @Nullable Progress progress) {}

    /**
     * How far a running operation is.
     *
     * @param stage what it does, for people
     * @param percent of its steps; absent when their number is not known
     */
    public record Progress(String stage, @Nullable Integer percent) {}

    public record ConnectionUri(String connectionUri, ConnectionParameters connectionParameters) {}

    public record ConnectionParameters(
            String database, String password, String role, String host, String poolerHost, int port) {}

    public record Pagination(
            @Nullable String cursor,
            @Nullable String next,
            @Nullable String sortBy,
            @Nullable String sortOrder) {}

    public record Projects(
            List<Project> projects,
            Map<String, Object> applications,
            Map<String, Object> integrations,
            @Nullable Pagination pagination) {}

    public record OneProject(Project project) {}

    public record ChangedProject(Project project, List<Operation> operations) {}

    public record CreatedProject(
            Project project,
            Branch branch,
            List<Endpoint> endpoints,
            List<Role> roles,
            List<Database> databases,
            List<Operation> operations,
            List<ConnectionUri> connectionUris) {}

    public record Branches(List<Branch> branches, Map<String, Annotation> annotations, Pagination pagination) {}

    /** What clients note about a branch. */
    public record Annotation(
            AnnotatedObject object,
            Map<String, String> value,
            @Nullable Instant createdAt,
            @Nullable Instant updatedAt) {
        public static Annotation of(BranchNotes annotation) {
            return new Annotation(
                    new AnnotatedObject("console/branch", annotation.branchId()),
                    annotation.value(),
                    annotation.createdAt(),
                    annotation.updatedAt());
        }

        public static Annotation none(String branchId) {
            return new Annotation(new AnnotatedObject("console/branch", branchId), Map.of(), null, null);
        }
    }

    public record AnnotatedObject(String type, String id) {}

    public record OneBranch(Branch branch, Annotation annotation) {}

    public record ChangedBranch(Branch branch, List<Operation> operations) {}

    public record CreatedBranch(
            Branch branch,
            List<Endpoint> endpoints,
            List<Role> roles,
            List<Database> databases,
            List<Operation> operations,
            List<ConnectionUri> connectionUris) {}

    public record Endpoints(List<Endpoint> endpoints) {}

    public record OneEndpoint(Endpoint endpoint) {}

    public record ChangedEndpoint(Endpoint endpoint, List<Operation> operations) {}

    public record Roles(List<Role> roles) {}

    public record OneRole(Role role) {}

    public record ChangedRole(Role role, List<Operation> operations) {}

    public record Password(String password) {}

    public record Databases(List<Database> databases) {}

    public record OneDatabase(Database database) {}

    public record ChangedDatabase(Database database, List<Operation> operations) {}

    public record Operations(
            List<Operation> operations, @Nullable Pagination pagination) {}

    public record OneOperation(Operation operation) {}

    public record Uri(String uri) {}
}
