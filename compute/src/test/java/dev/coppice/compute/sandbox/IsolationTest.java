package dev.coppice.compute.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.compute.ComputeException;
import dev.coppice.compute.sandbox.Isolation.Level;
import dev.coppice.compute.sandbox.SandboxSettings.Mode;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IsolationTest {
    private static final KernelSupport EVERYTHING = new KernelSupport(7, true, Set.of("net", "ipc", "uts"));

    @Test
    void root_on_a_new_kernel_has_all_of_it() {
        assertThat(isolation(EVERYTHING, true).text()).isEqualTo("full");
    }

    @Test
    void without_root_computes_share_a_user() {
        Isolation isolation = isolation(EVERYTHING, false);

        assertThat(isolation.level()).isEqualTo(Level.LANDLOCK);
        assertThat(isolation.text())
                .isEqualTo(
                        "landlock (missing: users of their own and limits of memory and processes: the server is not root)");
    }

    @Test
    void users_of_their_own_make_up_for_what_an_older_Landlock_does_not_know() {
        Isolation isolation = isolation(new KernelSupport(2, true, Set.of()), true);

        assertThat(isolation.level()).isEqualTo(Level.FULL);
        assertThat(isolation.text()).contains("truncation", "TCP", "signals");
    }

    @Test
    void computes_of_one_user_that_can_end_each_other_are_not_isolated() {
        assertThat(isolation(new KernelSupport(5, true, Set.of()), false).level())
                .isEqualTo(Level.NONE);
    }

    @Test
    void without_Landlock_or_filters_there_is_none() {
        assertThat(isolation(new KernelSupport(0, true, Set.of()), true).text()).startsWith("none (missing: Landlock");
        assertThat(isolation(new KernelSupport(7, false, Set.of()), true).text())
                .isEqualTo("none (missing: filters of system calls (seccomp))");
    }

    @Test
    void off_is_none_whatever_the_kernel_has() {
        assertThat(Sandbox.isolation(Mode.OFF, EVERYTHING, true, true).confines())
                .isFalse();
    }

    @Test
    void the_launchers_answer_is_read_or_refused() {
        assertThat(KernelSupport.parse("landlock 7\nfilter 1\nnamespace-net 1\nnamespace-ipc 0\n"))
                .isEqualTo(new KernelSupport(7, true, Set.of("net")));
        assertThatThrownBy(() -> KernelSupport.parse("landlock seven\n"))
                .isInstanceOf(ComputeException.class)
                .hasMessageContaining("landlock seven");
    }

    private static Isolation isolation(KernelSupport kernel, boolean root) {
        return Sandbox.isolation(Mode.PREFERRED, kernel, root, true);
    }
}
