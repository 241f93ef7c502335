package dev.coppice.control.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.common.Lsn;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.BranchState;
import dev.coppice.control.error.ControlException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BranchLocksTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private final BranchLocks locks = new BranchLocks();
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
    void one_alone_keeps_everybody_away_and_says_what_it_does() {
        BranchLocks.Hold restore = locks.exclusive(main, "restored");
        for (Runnable second :
                List.<Runnable>of(() -> locks.exclusive(main, "deleted"), () -> locks.shared(main, "branched"))) {
            assertThatThrownBy(second::run)
                    .isInstanceOfSatisfying(
                            ControlException.class, e -> assertThat(e.kind()).isEqualTo(ControlException.Kind.LOCKED))
                    .hasMessageContaining("name-br-1")
                    .hasMessageContaining("restored");
        }
        restore.close();
        locks.exclusive(main, "deleted").close();
    }

    @Test
    void many_may_share_and_the_last_one_leaves_the_branch_free() {
        BranchLocks.Hold first = locks.shared(main, "branched");
        BranchLocks.Hold second = locks.shared(main, "changed");
        first.close();
        assertThatThrownBy(() -> locks.exclusive(main, "deleted")).hasMessageContaining("just now");
        second.close();
        locks.exclusive(main, "deleted").close();
    }

    @Test
    void wakes_wait_at_a_closed_gate_and_go_on_in_the_new_state() {
        WakeGate gate = new WakeGate();
        List<String> woken = new ArrayList<>();
        String[] timeline = {"old"};
        var _ = gate.pass("br-1", () -> CompletableFuture.completedFuture(woken.add(timeline[0])));
        CompletableFuture<Boolean> waiting;
        try (WakeGate.Closed _ = gate.close("br-1")) {
            waiting = gate.pass("br-1", () -> CompletableFuture.completedFuture(woken.add(timeline[0])));
            var _ = gate.pass("br-2", () -> CompletableFuture.completedFuture(woken.add("other")));
            timeline[0] = "new";
            assertThat(waiting).isNotDone();
        }
        assertThat(waiting).isCompletedWithValue(true);
        assertThat(woken).containsExactly("old", "other", "new");
    }
}
