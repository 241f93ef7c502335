package dev.coppice.control.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.catalog.model.Endpoint;
import dev.coppice.control.catalog.model.LoginRole;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.catalog.model.ProjectSettings.EndpointSettings;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InventoryTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private final Inventory inventory = new Inventory();

    @Test
    void a_name_leads_to_its_branches_in_every_project_and_follows_a_rename() {
        inventory.put(branch("br-1", "p1", "dev"));
        inventory.put(branch("br-2", "p2", "dev"));
        assertThat(inventory.branchesNamed("dev")).extracting(Branch::id).containsExactlyInAnyOrder("br-1", "br-2");
        inventory.put(branch("br-1", "p1", "dev").renamed("prod", NOW));
        assertThat(inventory.branchesNamed("dev")).extracting(Branch::id).containsExactly("br-2");
        assertThat(inventory.branchNamed("p1", "prod")).isPresent();
        assertThat(inventory.branchNamed("p2", "prod")).isEmpty();
        inventory.removeBranch("br-2");
        assertThat(inventory.branchesNamed("dev")).isEmpty();
    }

    @Test
    void a_removed_branch_takes_its_endpoint_and_roles_with_it() {
        inventory.put(branch("br-1", "p1", "dev"));
        inventory.put(new Endpoint(
                "ep-1", "p1", "br-1", Endpoint.READ_WRITE, 0, false, EndpointSettings.DEFAULTS, false, null, NOW, NOW));
        inventory.putRoles("br-1", Map.of("a", new LoginRole("a", null, true)));
        inventory.removeBranch("br-1");
        assertThat(inventory.endpoint("ep-1")).isEmpty();
        assertThat(inventory.endpointOfBranch("br-1")).isEmpty();
        assertThat(inventory.roles("br-1")).isEmpty();
    }

    @Test
    void a_project_read_again_loses_what_the_catalog_no_longer_has_and_others_stay() {
        inventory.put(new Project("p1", "one", 18, 86_400, ProjectSettings.DEFAULTS, NOW, NOW));
        inventory.put(branch("br-1", "p1", "dev"));
        inventory.put(branch("br-3", "p1", "old"));
        inventory.put(branch("br-2", "p2", "dev"));
        inventory.replaceProject(
                "p1",
                new Inventory.Contents(
                        List.of(new Project("p1", "uno", 18, 86_400, ProjectSettings.DEFAULTS, NOW, NOW)),
                        List.of(branch("br-1", "p1", "dev")),
                        List.of(),
                        Map.of(),
                        List.of(),
                        List.of()));
        assertThat(inventory.project("p1").orElseThrow().name()).isEqualTo("uno");
        assertThat(inventory.branch("br-3")).isEmpty();
        assertThat(inventory.branch("br-2")).isPresent();
        inventory.replaceProject(
                "p1", new Inventory.Contents(List.of(), List.of(), List.of(), Map.of(), List.of(), List.of()));
        assertThat(inventory.project("p1")).isEmpty();
        assertThat(inventory.branch("br-1")).isEmpty();
    }

    @Test
    void a_child_shares_its_parents_roles_in_memory() {
        inventory.putRoles("br-1", Map.of("a", new LoginRole("a", "v", true)));
        inventory.putRoles("br-2", inventory.roles("br-1"));
        assertThat(inventory.roles("br-2")).isSameAs(inventory.roles("br-1"));
    }

    private static Branch branch(String id, String project, String name) {
        return new Branch(
                id,
                project,
                null,
                null,
                null,
                name,
                id,
                BranchState.READY,
                false,
                false,
                "console",
                null,
                false,
                NOW,
                NOW);
    }
}
