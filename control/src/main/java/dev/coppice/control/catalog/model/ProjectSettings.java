package dev.coppice.control.catalog.model;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the owner of a project has set; everything has a default.
 *
 * @param allowedIps from where clients may log in to its branches: addresses, ranges, blocks; none = from everywhere
 * @param allowedIpsOnProtectedOnly whether {@code allowedIps} holds for protected branches only
 * @param logicalReplication whether computes write the WAL that logical replication needs
 * @param quota what its computes may use in a month
 * @param endpoints what holds for endpoints that do not say otherwise
 * @param ownerSuperuser whether the owners of its databases are superusers; absent = where that is safe
 */
public record ProjectSettings(
        List<String> allowedIps,
        boolean allowedIpsOnProtectedOnly,
        boolean logicalReplication,
        Quota quota,
        EndpointSettings endpoints,
        @Nullable Boolean ownerSuperuser) {
    public static final ProjectSettings DEFAULTS =
            new ProjectSettings(List.of(), false, false, Quota.NONE, EndpointSettings.DEFAULTS, null);

    /** Accepts what is absent in a stored form. */
    public ProjectSettings {
        allowedIps = orEmpty(allowedIps);
        quota = quota == null ? Quota.NONE : quota;
        endpoints = endpoints == null ? EndpointSettings.DEFAULTS : endpoints;
    }

    private static List<String> orEmpty(@Nullable List<String> list) {
        return list == null ? List.of() : List.copyOf(list);
    }

    /**
     * Limits, but for the last one per calendar month (UTC); an absent one does not limit.
     *
     * @param activeSeconds of all computes together
     * @param computeSeconds active seconds times compute units
     * @param writtenBytes of write-ahead log
     * @param branchBytes of each branch, on disk; the server's own limit holds where it is less
     */
    public record Quota(
            @Nullable Long activeSeconds,
            @Nullable Long computeSeconds,
            @Nullable Long writtenBytes,
            @Nullable Long branchBytes) {
        public static final Quota NONE = new Quota(null, null, null, null);
    }

    /**
     * What an endpoint's compute is like; as defaults of a project, or of one endpoint.
     *
     * @param name what people call it
     * @param minComputeUnits kept because clients set it: there is no autoscaling, so it does nothing
     * @param maxComputeUnits the size of the compute; absent = the project's, then the server's default
     * @param suspendTimeoutSeconds 0 = the server's default, -1 = never; of a project only
     * @param postgres parameters for postgresql.conf by name
     */
    public record EndpointSettings(
            @Nullable String name,
            @Nullable Double minComputeUnits,
            @Nullable Double maxComputeUnits,
            int suspendTimeoutSeconds,
            Map<String, String> postgres) {
        public static final EndpointSettings DEFAULTS = new EndpointSettings(null, null, null, 0, Map.of());

        /** Accepts what is absent in a stored form. */
        public EndpointSettings {
            postgres = orEmpty(postgres);
        }

        private static Map<String, String> orEmpty(@Nullable Map<String, String> map) {
            return map == null ? Map.of() : Map.copyOf(map);
        }
    }
}
