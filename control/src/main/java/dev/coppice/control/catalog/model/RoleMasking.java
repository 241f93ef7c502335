package dev.coppice.control.catalog.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The declaration that a role sees a masked view of a branch and of the branches below it. It is about a name: whoever drops the
 * role and makes it again gets a masked one.
 *
 * @param branchId where it was declared
 * @param ruleSet a set that the project keeps; absent = everything is masked
 * @param maxLagSeconds how long a view takes logins, from when it was opened; at least 1
 */
public record RoleMasking(
        String branchId,
        String roleName,
        @Nullable String ruleSet,
        int maxLagSeconds,
        Instant createdAt,
        Instant updatedAt) {

    /** The same for another branch. */
    public RoleMasking of(String otherBranchId) {
        return new RoleMasking(otherBranchId, roleName, ruleSet, maxLagSeconds, createdAt, updatedAt);
    }
}
