package dev.coppice.control.branch;

import dev.coppice.compute.ComputeSettings;
import dev.coppice.control.catalog.Endpoint;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.ProjectSettings;
import dev.coppice.control.error.ControlException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The size and the Postgres settings of each compute: its endpoint's, else its project's, else the server's. */
public final class ComputeSizes {
    private final Inventory inventory;
    private final ComputeSettings defaults;

    public ComputeSizes(Inventory inventory, ComputeSettings defaults) {
        this.inventory = inventory;
        this.defaults = defaults;
    }

    /** What to start this endpoint's compute with; an endpoint that is not in the inventory gets the server's defaults. */
    public ComputeSettings of(String endpointId) {
        return inventory.endpoint(endpointId).map(this::of).orElse(defaults);
    }

    ComputeSettings of(Endpoint endpoint) {
        ProjectSettings project = inventory
                .project(endpoint.projectId())
                .map(found -> found.settings())
                .orElse(ProjectSettings.DEFAULTS);
        return combined(project, endpoint.settings());
    }

    ComputeSettings combined(ProjectSettings project, ProjectSettings.EndpointSettings own) {
        Map<String, String> postgres = new HashMap<>(defaults.postgres());
        if (project.logicalReplication()) {
            postgres.put("wal_level", "logical");
        }
        postgres.putAll(project.endpoints().postgres());
        postgres.putAll(own.postgres());
        double units = Optional.ofNullable(own.maxComputeUnits())
                .or(() -> Optional.ofNullable(project.endpoints().maxComputeUnits()))
                .orElse(defaults.computeUnits());
        return new ComputeSettings(units, postgres);
    }

    /**
     * Checks settings, as far as that goes without starting a compute.
     *
     * @throws ControlException INVALID for a size out of range or parameters that Coppice decides
     */
    static void check(ProjectSettings.EndpointSettings settings) {
        Double least = settings.minComputeUnits();
        Double most = settings.maxComputeUnits();
        try {
            var _ = new ComputeSettings(
                    Objects.requireNonNullElse(most, ComputeSettings.defaults().computeUnits()), settings.postgres());
            if (least != null) {
                var _ = new ComputeSettings(least, Map.of());
            }
        } catch (IllegalArgumentException e) {
            throw new ControlException(ControlException.Kind.INVALID, String.valueOf(e.getMessage()), e);
        }
        if (least != null && most != null && least > most) {
            throw ControlException.invalid("autoscaling_limit_min_cu: must not be above autoscaling_limit_max_cu");
        }
        EndpointWorkflows.checkSuspendTimeout(settings.suspendTimeoutSeconds());
    }
}
