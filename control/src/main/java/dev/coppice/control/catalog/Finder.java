package dev.coppice.control.catalog;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;

/** Finds what a request names, in memory; what is not there, or is being deleted, is refused with NOT_FOUND. Thread-safe. */
public final class Finder {
    private final Inventory inventory;

    public Finder(Inventory inventory) {
        this.inventory = inventory;
    }

    public Project project(String id) {
        return inventory.project(id).orElseThrow(() -> ControlException.notFound("project \"" + id + "\" not found"));
    }

    /** A branch of the project that is not being deleted. */
    public Branch branch(String projectId, String branchId) {
        project(projectId);
        return inventory
                .branch(branchId)
                .filter(branch -> branch.projectId().equals(projectId) && !branch.isGone())
                .orElseThrow(() -> ControlException.notFound("branch \"" + branchId + "\" not found"));
    }

    public Endpoint endpoint(String projectId, String endpointId) {
        project(projectId);
        return inventory
                .endpoint(endpointId)
                .filter(endpoint -> endpoint.projectId().equals(projectId) && inventory.isShown(endpoint))
                .orElseThrow(() -> ControlException.notFound("endpoint \"" + endpointId + "\" not found"));
    }

    /**
     * The endpoint to run SQL through.
     *
     * @throws ControlException PRECONDITION for a branch that has none
     */
    public Endpoint endpointOf(Branch branch) {
        return inventory
                .endpointOfBranch(branch.id())
                .orElseThrow(() -> new ControlException(
                        ControlException.Kind.PRECONDITION,
                        "branch \"" + branch.name() + "\" has no compute; create an endpoint for it first"));
    }

    /** It may have been deleted since the request was looked at, with its project. */
    public static void refuseGone(Branch branch) {
        if (branch.isGone()) {
            throw ControlException.notFound("branch \"" + branch.id() + "\" not found");
        }
    }

    /** It may have been deleted since the request was looked at. */
    public static void refuseDeleted(Project project) {
        if (project.isDeleted()) {
            throw ControlException.notFound("project \"" + project.id() + "\" not found");
        }
    }
}
