package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeState;
import dev.coppice.compute.ComputeStatus;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import java.util.List;
import java.util.Optional;

/** What somebody who looks at a single branch should know of its compute. Reads a small file; lists do without. */
public final class BranchConditions {
    private final Inventory inventory;
    private final ComputeService computes;

    public BranchConditions(Inventory inventory, ComputeService computes) {
        this.inventory = inventory;
        this.computes = computes;
    }

    /**
     * What is told.
     *
     * @param switchedOff what it inherited and would have done in its parent's name
     * @param settingsLeftOut the settings that Postgres did not start with, each with the reason
     * @param startError why the compute could not be started when it was last tried
     */
    public record Condition(List<String> switchedOff, List<String> settingsLeftOut, Optional<String> startError) {
        public static final Condition UNKNOWN = new Condition(List.of(), List.of(), Optional.empty());
    }

    public Condition of(Branch branch) {
        if (branch.life().deletedAt() != null) {
            return Condition.UNKNOWN;
        }
        Optional<String> endpoint = inventory.endpointOfBranch(branch.id()).map(Endpoint::id);
        return new Condition(
                computes.switchedOff(new TimelineId(branch.timelineId())),
                endpoint.map(computes::leftOut)
                        .map(reasons -> reasons.values().stream().sorted().toList())
                        .orElse(List.of()),
                endpoint.flatMap(computes::status)
                        .filter(status -> status.state() == ComputeState.FAILED)
                        .flatMap(ComputeStatus::failure));
    }
}
