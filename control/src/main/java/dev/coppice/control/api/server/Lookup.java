package dev.coppice.control.api.server;

import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;
import java.util.List;

/** Finds what a path names, or answers 404. */
public final class Lookup {
    private final Inventory inventory;

    public Lookup(Inventory inventory) {
        this.inventory = inventory;
    }

    public Project project(Call call) {
        return inventory
                .project(call.project())
                .orElseThrow(() -> ControlException.notFound("project \"" + call.project() + "\" not found"));
    }

    public List<Branch> branches(Call call) {
        return inventory.branchesOf(project(call).id());
    }

    /** Those that can be recovered. */
    public List<Branch> deletedBranches(Call call) {
        return inventory.deletedBranchesOf(project(call).id());
    }

    public Branch branch(Call call) {
        return branch(call, call.branch());
    }

    public Branch branch(Call call, String branchId) {
        Project project = project(call);
        return inventory
                .branch(branchId)
                .filter(branch -> branch.projectId().equals(project.id()) && !branch.isGone())
                .orElseThrow(() -> ControlException.notFound("branch \"" + branchId + "\" not found"));
    }

    public Branch defaultBranch(Call call) {
        return inventory
                .defaultBranch(project(call).id())
                .orElseThrow(() -> ControlException.notFound("the project has no default branch"));
    }

    public List<Endpoint> endpoints(Call call) {
        return inventory.endpointsOf(project(call).id());
    }

    /** At most one. */
    public List<Endpoint> endpointsOf(Branch branch) {
        return inventory.endpointOfBranch(branch.id()).stream().toList();
    }

    public Endpoint endpoint(Call call, String endpointId) {
        Project project = project(call);
        return inventory
                .endpoint(endpointId)
                .filter(endpoint -> endpoint.projectId().equals(project.id()) && inventory.isShown(endpoint))
                .orElseThrow(() -> ControlException.notFound("endpoint \"" + endpointId + "\" not found"));
    }

    public Endpoint endpointOf(Branch branch) {
        return inventory
                .endpointOfBranch(branch.id())
                .orElseThrow(() -> ControlException.notFound("branch \"" + branch.name() + "\" has no endpoint"));
    }
}
