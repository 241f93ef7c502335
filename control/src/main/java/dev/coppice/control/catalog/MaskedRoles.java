package dev.coppice.control.catalog;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.RoleMasking;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Which roles are masked where, in memory. A declaration counts for its branch and all that descend from it, however deep and
 * whenever they were made; the nearest one above counts. What a branch was before it was restored is no branch above it: it has the same
 * declarations, made for itself. Thread-safe.
 */
final class MaskedRoles {
    private final Map<String, Map<String, RoleMasking>> byBranch = new ConcurrentHashMap<>();

    /** What counts for a role of a branch. */
    Optional<RoleMasking> of(Optional<Branch> branch, String role, Function<String, Optional<Branch>> branches) {
        // Nearly always.
        return byBranch.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(of(branch, branches).get(role));
    }

    /** What counts for all roles of a branch, by role. */
    Map<String, RoleMasking> of(Optional<Branch> branch, Function<String, Optional<Branch>> branches) {
        return above(branch, branches, true);
    }

    private Map<String, RoleMasking> above(
            Optional<Branch> branch, Function<String, Optional<Branch>> branches, boolean included) {
        Map<String, RoleMasking> all = new HashMap<>();
        Set<String> seen = new HashSet<>();
        Optional<Branch> at = branch;
        boolean counts = included;
        while (at.isPresent() && seen.add(at.get().id())) {
            if (counts) {
                declared(at.get().id()).forEach(all::putIfAbsent);
            }
            counts = !at.get().continuesParent();
            String parent = at.get().parentId();
            at = parent == null ? Optional.empty() : branches.apply(parent);
        }
        return all;
    }

    /** Whether it counts for the role whatever is declared for the branch itself. */
    boolean isMaskedAbove(Optional<Branch> branch, String role, Function<String, Optional<Branch>> branches) {
        return above(branch, branches, false).containsKey(role);
    }

    /** What was declared for the branch itself, by role. */
    Map<String, RoleMasking> declared(String branchId) {
        return byBranch.getOrDefault(branchId, Map.of());
    }

    void put(RoleMasking masking) {
        byBranch.merge(masking.branchId(), Map.of(masking.roleName(), masking), (before, more) -> {
            Map<String, RoleMasking> both = new HashMap<>(before);
            both.putAll(more);
            return Map.copyOf(both);
        });
    }

    void remove(String branchId, String role) {
        byBranch.computeIfPresent(branchId, (_, before) -> {
            Map<String, RoleMasking> rest = new HashMap<>(before);
            rest.remove(role);
            return rest.isEmpty() ? null : Map.copyOf(rest);
        });
    }

    void remove(String branchId) {
        byBranch.remove(branchId);
    }

    /** Puts what is declared now in place of what was, without a moment in which a role that is masked in both is not. */
    void replace(Set<String> branchIds, List<RoleMasking> declared) {
        Map<String, Map<String, RoleMasking>> fresh = new HashMap<>();
        declared.forEach(masking ->
                fresh.computeIfAbsent(masking.branchId(), _ -> new HashMap<>()).put(masking.roleName(), masking));
        fresh.forEach((branchId, roles) -> byBranch.put(branchId, Map.copyOf(roles)));
        branchIds.stream().filter(id -> !fresh.containsKey(id)).forEach(byBranch::remove);
    }
}
