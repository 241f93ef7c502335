package dev.coppice.control.api.view;

import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import dev.coppice.control.catalog.model.ProjectSettings.Quota;
import dev.coppice.control.error.ControlException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Applies what a request says of settings to those there are: what it leaves out stays, what cannot be had is refused. */
public final class SettingsChange {
    private final Consumer<List<String>> addressSyntax;

    /** @param addressSyntax throws IllegalArgumentException for what is no list of addresses, ranges and blocks */
    public SettingsChange(Consumer<List<String>> addressSyntax) {
        this.addressSyntax = addressSyntax;
    }

    public ProjectSettings project(
            ProjectSettings before,
            Bodies.@Nullable Settings asked,
            Bodies.@Nullable DefaultEndpointSettings askedEndpoints) {
        ProjectSettings settings = asked == null ? before : changed(before, asked);
        return askedEndpoints == null
                ? settings
                : new ProjectSettings(
                        settings.allowedIps(),
                        settings.allowedIpsOnProtectedOnly(),
                        settings.logicalReplication(),
                        settings.quota(),
                        defaults(settings.endpoints(), askedEndpoints),
                        settings.ownerSuperuser());
    }

    private ProjectSettings changed(ProjectSettings before, Bodies.Settings asked) {
        refuse("project.settings.block_public_connections", asked.blockPublicConnections());
        refuse("project.settings.block_vpc_connections", asked.blockVpcConnections());
        refuse("project.settings.hipaa", asked.hipaa());
        Bodies.AllowedIps addresses = asked.allowedIps();
        List<String> ips = before.allowedIps();
        boolean protectedOnly = before.allowedIpsOnProtectedOnly();
        if (addresses != null) {
            ips = addresses.ips() == null ? ips : checked(addresses.ips());
            protectedOnly = orElse(addresses.protectedBranchesOnly(), protectedOnly);
        }
        return new ProjectSettings(
                ips,
                protectedOnly,
                orElse(asked.enableLogicalReplication(), before.logicalReplication()),
                quota(before.quota(), asked.quota()),
                before.endpoints(),
                orElse(asked.ownerSuperuser(), before.ownerSuperuser()));
    }

    private static void refuse(String field, @Nullable Boolean wanted) {
        if (Boolean.TRUE.equals(wanted)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    field + ": is a feature of Neon's cloud; project.settings.allowed_ips limits who may connect");
        }
    }

    private List<String> checked(List<@Nullable String> ips) {
        try {
            List<String> present = ips.stream()
                    .map(ip -> {
                        if (ip == null) {
                            throw new IllegalArgumentException("null is not an address");
                        }
                        return ip;
                    })
                    .toList();
            addressSyntax.accept(present);
            return present;
        } catch (IllegalArgumentException e) {
            throw new ControlException(
                    ControlException.Kind.INVALID, "project.settings.allowed_ips.ips: " + e.getMessage(), e);
        }
    }

    private static Quota quota(Quota before, Bodies.@Nullable Quota asked) {
        if (asked == null) {
            return before;
        }
        if (positive(asked.dataTransferBytes())) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE,
                    "project.settings.quota: data_transfer_bytes is not supported; active_time_seconds, compute_time_seconds,"
                            + " written_data_bytes and logical_size_bytes are");
        }
        return new Quota(
                limit("active_time_seconds", asked.activeTimeSeconds(), before.activeSeconds()),
                limit("compute_time_seconds", asked.computeTimeSeconds(), before.computeSeconds()),
                limit("written_data_bytes", asked.writtenDataBytes(), before.writtenBytes()),
                limit("logical_size_bytes", asked.logicalSizeBytes(), before.branchBytes()));
    }

    private static boolean positive(@Nullable Long value) {
        return value != null && value > 0;
    }

    /** Zero takes a limit away, as at Neon. */
    private static @Nullable Long limit(String field, @Nullable Long asked, @Nullable Long before) {
        if (asked == null) {
            return before;
        }
        if (asked < 0) {
            throw ControlException.invalid("project.settings.quota." + field + ": must not be negative");
        }
        return asked == 0 ? null : asked;
    }

    private static EndpointSettings defaults(EndpointSettings before, Bodies.DefaultEndpointSettings asked) {
        return new EndpointSettings(
                null,
                orElse(asked.autoscalingLimitMinCu(), before.minComputeUnits()),
                orElse(asked.autoscalingLimitMaxCu(), before.maxComputeUnits()),
                asked.suspendTimeoutSeconds() == null ? before.suspendTimeoutSeconds() : asked.suspendTimeoutSeconds(),
                parameters(before.postgres(), asked.pgSettings()));
    }

    /** Of one endpoint. */
    public static EndpointSettings endpoint(
            EndpointSettings before,
            @Nullable String name,
            @Nullable Double least,
            @Nullable Double most,
            Bodies.@Nullable EndpointParameters parameters) {
        if (name != null && (name.isBlank() || name.length() > 64)) {
            throw ControlException.invalid("endpoint.name: must have 1 to 64 characters");
        }
        return new EndpointSettings(
                orElse(name, before.name()),
                orElse(least, before.minComputeUnits()),
                orElse(most, before.maxComputeUnits()),
                0,
                parameters(before.postgres(), parameters == null ? null : parameters.pgSettings()));
    }

    private static Map<String, String> parameters(
            Map<String, String> before, @Nullable Map<String, @Nullable String> asked) {
        if (asked == null) {
            return before;
        }
        Map<String, String> result = new HashMap<>();
        asked.forEach((name, value) -> {
            if (value == null) {
                throw ControlException.invalid("pg_settings." + name + ": must be text");
            }
            result.put(name, value);
        });
        return result;
    }

    private static <T extends @Nullable Object> T orElse(@Nullable T asked, T before) {
        return asked == null ? before : asked;
    }
}
