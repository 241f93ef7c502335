package dev.coppice.control.catalog;

import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchNotes;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.RoleMasking;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The catalog's image in memory: what routing, authentication, waking and suspending are answered from.
 *
 * <p>Readers take no lock and may see a branch just before or just after the change of another; each record is whole. Roles
 * are kept as one immutable map per branch, which a child shares with its parent until either changes: ten thousand
 * branches cost ten thousand references. An example: the connection string names {@code ep-x}; {@code endpoint("ep-x")}
 * gives the endpoint, {@code branch(endpoint.branchId())} the timeline to wake, {@code role(branch, "alice")} the verifier.
 */
public final class Inventory {
    private final Map<String, Project> projects = new ConcurrentHashMap<>();
    private final Map<String, Branch> branches = new ConcurrentHashMap<>();
    private final Map<String, Endpoint> endpoints = new ConcurrentHashMap<>();
    private final Map<String, Map<String, LoginRole>> roles = new ConcurrentHashMap<>();
    private final Map<String, Set<String>> branchIdsByName = new ConcurrentHashMap<>();
    private final FamilyIndex family = new FamilyIndex();
    private final Map<String, String> endpointIdByBranch = new ConcurrentHashMap<>();
    private final Map<String, BranchNotes> annotations = new ConcurrentHashMap<>();
    private final MaskedRoles maskedRoles = new MaskedRoles();
    private volatile Map<ByteBuffer, ApiKey> apiKeys = Map.of();

    /** The project, unless it was deleted. */
    public Optional<Project> project(String id) {
        return Optional.ofNullable(projects.get(id)).filter(project -> !project.isDeleted());
    }

    /** The project, if it was deleted and can be recovered. */
    public Optional<Project> deletedProject(String id) {
        return Optional.ofNullable(projects.get(id)).filter(Project::isDeleted);
    }

    /** All projects, oldest first, deleted ones left out. */
    public List<Project> projects() {
        return sorted(projects.values().stream().filter(project -> !project.isDeleted()));
    }

    /** The projects that were deleted and can be recovered, oldest first. */
    public List<Project> deletedProjects() {
        return sorted(projects.values().stream().filter(Project::isDeleted));
    }

    private static List<Project> sorted(Stream<Project> found) {
        return found.sorted(Comparator.comparing(Project::createdAt).thenComparing(Project::id))
                .toList();
    }

    public Optional<Branch> branch(String id) {
        return Optional.ofNullable(branches.get(id));
    }

    /** The branches of a project, oldest first, deleted ones left out. */
    public List<Branch> branchesOf(String projectId) {
        return branches(projectId, branch -> !branch.isGone());
    }

    /** The branches of a project that were deleted and can be recovered, oldest first. */
    public List<Branch> deletedBranchesOf(String projectId) {
        return branches(projectId, branch -> branch.state() == BranchState.DELETED);
    }

    private List<Branch> branches(String projectId, Predicate<Branch> which) {
        return family.ofProject(projectId)
                .map(branches::get)
                .flatMap(Stream::ofNullable)
                .filter(which)
                .toList();
    }

    /** Every branch whatever its state. */
    public Collection<Branch> branches() {
        return List.copyOf(branches.values());
    }

    /** The branches of this name, at most one in each project. */
    public List<Branch> branchesNamed(String name) {
        return branchIdsByName.getOrDefault(name, Set.of()).stream()
                .map(branches::get)
                .flatMap(Stream::ofNullable)
                .filter(branch -> branch.name().equals(name) && branch.life().deletedAt() == null)
                .toList();
    }

    public Optional<Branch> branchNamed(String projectId, String name) {
        return branchesNamed(name).stream()
                .filter(branch -> branch.projectId().equals(projectId))
                .findFirst();
    }

    public Optional<Branch> defaultBranch(String projectId) {
        return family.defaultOf(projectId).map(branches::get).filter(Branch::isDefault);
    }

    /** The children, those that were deleted left out. */
    public List<Branch> livingChildrenOf(String branchId) {
        return childrenOf(branchId).stream().filter(child -> !child.isGone()).toList();
    }

    /** All children, those that were deleted too. */
    public List<Branch> childrenOf(String branchId) {
        return family.childrenOf(branchId)
                .map(branches::get)
                .flatMap(Stream::ofNullable)
                .filter(branch -> branchId.equals(branch.parentId()))
                .toList();
    }

    public Optional<Endpoint> endpoint(String id) {
        return Optional.ofNullable(endpoints.get(id));
    }

    public Optional<Endpoint> endpointOfBranch(String branchId) {
        String id = endpointIdByBranch.get(branchId);
        return id == null ? Optional.empty() : endpoint(id);
    }

    /** The endpoints of a project, oldest first, those of deleted branches left out. */
    public List<Endpoint> endpointsOf(String projectId) {
        return endpoints.values().stream()
                .filter(endpoint -> endpoint.projectId().equals(projectId) && isShown(endpoint))
                .sorted(Comparator.comparing(Endpoint::createdAt).thenComparing(Endpoint::id))
                .toList();
    }

    /** Whether the endpoint's branch is there, and was not deleted. */
    public boolean isShown(Endpoint endpoint) {
        return branch(endpoint.branchId()).filter(branch -> !branch.isGone()).isPresent();
    }

    public Collection<Endpoint> endpoints() {
        return List.copyOf(endpoints.values());
    }

    /** The roles of a branch by name; empty when nothing is known of it. */
    public Map<String, LoginRole> roles(String branchId) {
        return roles.getOrDefault(branchId, Map.of());
    }

    /** Whether a role of a branch sees a masked view only: the nearest declaration for it, of the branch or one above. */
    public Optional<RoleMasking> roleMasking(String branchId, String role) {
        return maskedRoles.of(branch(branchId), role, this::branch);
    }

    /** The masked roles of a branch by name, declared for it or for one above. */
    public Map<String, RoleMasking> roleMaskings(String branchId) {
        return maskedRoles.of(branch(branchId), this::branch);
    }

    /** What was declared for the branch itself, by role. */
    public Map<String, RoleMasking> declaredRoleMaskings(String branchId) {
        return maskedRoles.declared(branchId);
    }

    /** Whether the role would be masked in the branch if nothing were declared for the branch itself. */
    public boolean isMaskedAbove(String branchId, String role) {
        return maskedRoles.isMaskedAbove(branch(branchId), role, this::branch);
    }

    public void put(RoleMasking masking) {
        maskedRoles.put(masking);
    }

    /** The same declarations for another branch; what that has of its own for a role stays. */
    public void inherit(Collection<RoleMasking> declared, String branchId) {
        declared.stream()
                .filter(masking -> !maskedRoles.declared(branchId).containsKey(masking.roleName()))
                .forEach(masking -> maskedRoles.put(masking.of(branchId)));
    }

    public void removeRoleMasking(String branchId, String role) {
        maskedRoles.remove(branchId, role);
    }

    /** What clients note about a branch. */
    public Optional<BranchNotes> annotation(String branchId) {
        return Optional.ofNullable(annotations.get(branchId));
    }

    public void put(BranchNotes annotation) {
        annotations.put(annotation.branchId(), annotation);
    }

    /** The API key with this hash; a key of a project that is gone is gone too. */
    public Optional<ApiKey> apiKey(byte[] hash) {
        return Optional.ofNullable(apiKeys.get(ByteBuffer.wrap(hash))).filter(key -> {
            String only = key.projectId();
            return only == null || projects.containsKey(only);
        });
    }

    /** The API key with this number, as {@link #apiKey(byte[])}. */
    public Optional<ApiKey> apiKey(long id) {
        return apiKeys.values().stream()
                .filter(key -> key.id() == id)
                .filter(key -> key.projectId() == null || projects.containsKey(key.projectId()))
                .findFirst();
    }

    public boolean hasApiKeys() {
        return !apiKeys.isEmpty();
    }

    public void put(Project project) {
        projects.put(project.id(), project);
    }

    public void put(Branch branch) {
        Branch before = branches.put(branch.id(), branch);
        addName(branch);
        family.put(before, branch);
        if (before != null && !before.name().equals(branch.name())) {
            removeName(before);
        }
    }

    public void put(Endpoint endpoint) {
        Endpoint before = endpoints.put(endpoint.id(), endpoint);
        if (before != null && !before.branchId().equals(endpoint.branchId())) {
            endpointIdByBranch.remove(before.branchId(), endpoint.id());
        }
        endpointIdByBranch.put(endpoint.branchId(), endpoint.id());
    }

    /** Changes an endpoint if it is still there; the function sees the newest one. */
    public void update(String endpointId, UnaryOperator<Endpoint> change) {
        endpoints.computeIfPresent(endpointId, (_, endpoint) -> change.apply(endpoint));
    }

    public void putRoles(String branchId, Map<String, LoginRole> branchRoles) {
        roles.put(branchId, Map.copyOf(branchRoles));
    }

    public void removeEndpoint(String id) {
        Endpoint endpoint = endpoints.remove(id);
        if (endpoint != null) {
            endpointIdByBranch.remove(endpoint.branchId(), id);
        }
    }

    /** Removes the branch with its endpoint and roles. */
    public void removeBranch(String id) {
        Branch branch = branches.remove(id);
        if (branch != null) {
            removeName(branch);
            family.remove(branch);
        }
        String endpointId = endpointIdByBranch.remove(id);
        if (endpointId != null) {
            endpoints.remove(endpointId);
        }
        roles.remove(id);
        annotations.remove(id);
        maskedRoles.remove(id);
    }

    /** Removes the project with all its branches. */
    public void removeProject(String id) {
        projects.remove(id);
        family.ofProject(id).toList().forEach(this::removeBranch);
    }

    /** Takes over what the catalog says of one project; what it no longer says is removed. */
    void replaceProject(String projectId, Contents contents) {
        Set<String> liveBranches = ConcurrentHashMap.newKeySet();
        contents.branches().forEach(branch -> liveBranches.add(branch.id()));
        Set<String> liveEndpoints = ConcurrentHashMap.newKeySet();
        contents.endpoints().forEach(endpoint -> liveEndpoints.add(endpoint.id()));
        family.ofProject(projectId)
                .filter(id -> !liveBranches.contains(id))
                .toList()
                .forEach(this::removeBranch);
        for (Endpoint endpoint : endpoints()) {
            if (endpoint.projectId().equals(projectId) && !liveEndpoints.contains(endpoint.id())) {
                removeEndpoint(endpoint.id());
            }
        }
        // Before the branches, so that none is there without them.
        maskedRoles.replace(liveBranches, contents.roleMaskings());
        contents.branches().forEach(this::put);
        contents.roles().forEach(this::putRoles);
        contents.annotations().forEach(this::put);
        contents.endpoints().forEach(this::put);
        contents.projects().forEach(this::put);
        if (contents.projects().isEmpty()) {
            removeProject(projectId);
        }
    }

    void replaceApiKeys(Map<ByteBuffer, ApiKey> byHash) {
        apiKeys = Map.copyOf(byHash);
    }

    /** What the catalog says of a project, or of all. */
    record Contents(
            List<Project> projects,
            List<Branch> branches,
            List<Endpoint> endpoints,
            Map<String, Map<String, LoginRole>> roles,
            List<BranchNotes> annotations,
            List<RoleMasking> roleMaskings) {}

    private void addName(Branch branch) {
        branchIdsByName.merge(branch.name(), Set.of(branch.id()), (a, b) -> {
            Set<String> both = new HashSet<>(a);
            both.addAll(b);
            return Set.copyOf(both);
        });
    }

    private void removeName(Branch branch) {
        branchIdsByName.computeIfPresent(branch.name(), (_, ids) -> {
            Set<String> rest = new HashSet<>(ids);
            rest.remove(branch.id());
            return rest.isEmpty() ? null : Set.copyOf(rest);
        });
    }
}
