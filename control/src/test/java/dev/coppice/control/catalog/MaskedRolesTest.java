package dev.coppice.control.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.RoleMasking;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A declaration counts for its branch and for whatever descends from it. */
class MaskedRolesTest {
    private static final Instant NOW = Instant.EPOCH;

    private final Inventory inventory = new Inventory();

    private void branch(String id, @Nullable String parent, boolean continuesParent) {
        inventory.put(new Branch(
                id,
                "p",
                parent,
                null,
                null,
                id,
                id,
                BranchState.READY,
                false,
                false,
                "console",
                null,
                continuesParent,
                NOW,
                NOW));
    }

    private static RoleMasking masking(String branch, String role, int lag) {
        return new RoleMasking(branch, role, null, lag, NOW, NOW);
    }

    private int lag(String branch) {
        return inventory
                .roleMasking(branch, "analyst")
                .map(RoleMasking::maxLagSeconds)
                .orElse(0);
    }

    @Test
    void the_nearest_declaration_above_counts_also_for_branches_that_were_there_before() {
        branch("main", null, false);
        branch("dev", "main", false);
        branch("feature", "dev", false);
        branch("other", null, false);
        inventory.put(masking("main", "analyst", 1));
        assertThat(List.of(lag("main"), lag("dev"), lag("feature"), lag("other")))
                .containsExactly(1, 1, 1, 0);
        assertThat(inventory.roleMasking("main", "owner")).isEmpty();
        inventory.put(masking("dev", "analyst", 2));
        assertThat(List.of(lag("main"), lag("dev"), lag("feature"))).containsExactly(1, 2, 2);
        assertThat(inventory.isMaskedAbove("dev", "analyst")).isTrue();
        assertThat(inventory.isMaskedAbove("main", "analyst")).isFalse();
        inventory.removeRoleMasking("main", "analyst");
        assertThat(List.of(lag("main"), lag("dev"), lag("feature"))).containsExactly(0, 2, 2);
    }

    @Test
    void a_deleted_branch_between_still_passes_it_on() {
        branch("main", null, false);
        branch("dev", "main", false);
        branch("feature", "dev", false);
        inventory.put(masking("main", "analyst", 1));
        inventory.put(inventory.branch("dev").orElseThrow().in(BranchState.DELETED, NOW));
        assertThat(lag("feature")).isEqualTo(1);
    }

    @Test
    void what_a_branch_was_before_a_restore_is_no_branch_above_it() {
        branch("main", null, false);
        branch("old", "main", false);
        branch("staging", "old", true);
        branch("child", "staging", false);
        inventory.put(masking("old", "analyst", 3));
        assertThat(List.of(lag("old"), lag("staging"), lag("child"))).containsExactly(3, 0, 0);
        inventory.put(masking("main", "analyst", 1));
        assertThat(List.of(lag("old"), lag("staging"), lag("child"))).containsExactly(3, 1, 1);
    }

    @Test
    void a_copy_keeps_what_the_branch_has_of_its_own() {
        branch("main", null, false);
        branch("restored", null, false);
        inventory.put(masking("restored", "auditor", 9));
        inventory.inherit(List.of(masking("main", "analyst", 1), masking("main", "auditor", 1)), "restored");
        assertThat(inventory.roleMaskings("restored").values())
                .containsExactlyInAnyOrder(masking("restored", "analyst", 1), masking("restored", "auditor", 9));
        assertThat(inventory.declaredRoleMaskings("main")).isEmpty();
    }

    @Test
    void what_the_catalog_says_replaces_what_was_known() {
        MaskedRoles roles = new MaskedRoles();
        roles.put(masking("a", "x", 1));
        roles.put(masking("b", "x", 1));
        roles.put(masking("elsewhere", "x", 1));
        roles.replace(Set.of("a", "b"), List.of(masking("a", "y", 2)));
        assertThat(roles.declared("a")).isEqualTo(Map.of("y", masking("a", "y", 2)));
        assertThat(roles.declared("b")).isEmpty();
        assertThat(roles.declared("elsewhere")).hasSize(1);
    }
}
