package dev.coppice.control.endpoint;

import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeSpec;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.error.ControlException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** The size and the Postgres settings of each compute: its endpoint's, else its project's, else the server's. */
public final class ComputeSizes {
    private static final String PRELOAD = "shared_preload_libraries";

    /** Two-phase commits, slots, time stamps and types of what is stored go by these. */
    private static final Set<String> OF_THE_DATA = Set.of(
            PRELOAD,
            "wal_level",
            "max_prepared_transactions",
            "max_connections",
            "max_worker_processes",
            "max_wal_senders",
            "max_locks_per_transaction",
            "track_commit_timestamp");

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

    /** What an endpoint's compute may do outside: a branch with a parent is a copy, and so is one that is being made. */
    public ComputeSpec.Reach reach(String endpointId) {
        return inventory
                .endpoint(endpointId)
                .flatMap(endpoint -> inventory.branch(endpoint.branchId()))
                .map(branch -> branch.parentId() == null ? ComputeSpec.Reach.OWN : ComputeSpec.Reach.COPY)
                .orElse(ComputeSpec.Reach.COPY);
    }

    /** The server's defaults, with the libraries that the branch's compute preloads: its data may need them. */
    public ComputeSettings carried(Branch branch) {
        Map<String, String> postgres = new HashMap<>(defaults.postgres());
        String libraries = inventory
                .endpointOfBranch(branch.id())
                .map(this::of)
                .map(settings -> settings.postgres().get(PRELOAD))
                .orElse(null);
        if (libraries != null) {
            postgres.put(PRELOAD, libraries);
        }
        return new ComputeSettings(defaults.computeUnits(), postgres);
    }

    /**
     * The settings that a branch's endpoint takes over from its parent's: what is in the data may need them.
     *
     * @param own what is asked for it; counts more
     */
    public static ProjectSettings.EndpointSettings inherited(
            ProjectSettings.EndpointSettings parent, ProjectSettings.EndpointSettings own) {
        Map<String, String> postgres = new HashMap<>();
        parent.postgres().forEach((name, value) -> {
            if (OF_THE_DATA.contains(name)) {
                postgres.put(name, value);
            }
        });
        postgres.putAll(own.postgres());
        return new ProjectSettings.EndpointSettings(
                own.name(), own.minComputeUnits(), own.maxComputeUnits(), own.suspendTimeoutSeconds(), postgres);
    }

    ComputeSettings of(Endpoint endpoint) {
        ProjectSettings project = inventory
                .project(endpoint.projectId())
                .map(found -> found.settings())
                .orElse(ProjectSettings.DEFAULTS);
        return combined(project, endpoint.settings());
    }

    public ComputeSettings combined(ProjectSettings project, ProjectSettings.EndpointSettings own) {
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
    public static void check(ProjectSettings.EndpointSettings settings) {
        AskedSettings.check(settings.postgres());
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
