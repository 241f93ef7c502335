package dev.coppice.control.catalog.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.Lsn;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BranchTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private final Branch main = branch("br-1", null, null, false);

    private static Branch branch(String id, @Nullable String parent, @Nullable String lsn, boolean continues) {
        return new Branch(
                id,
                "p",
                parent,
                lsn == null ? null : Lsn.parse(lsn),
                null,
                "name-" + id,
                id,
                BranchState.READY,
                false,
                false,
                "console",
                null,
                continues,
                NOW,
                NOW);
    }

    @Test
    void a_branch_whose_parent_goes_begins_where_it_left_its_grandparent() {
        Branch parent = branch("br-2", "br-1", "0/200", false);
        assertThat(parent.inheritedBy(branch("br-3", "br-2", "0/300", true)))
                .isEqualTo(new Branch.Origin("br-1", Lsn.parse("0/200"), null, false));
        assertThat(parent.inheritedBy(branch("br-3", "br-2", "0/100", true)))
                .isEqualTo(new Branch.Origin("br-1", Lsn.parse("0/100"), null, false));
        assertThat(main.inheritedBy(branch("br-3", "br-1", "0/100", true)))
                .isEqualTo(new Branch.Origin(null, null, null, false));
    }
}
