package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.coppice.common.TimelineId;
import dev.coppice.common.config.UserRange;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ComputeUsersTest {
    private static final TimelineId ONE = new TimelineId("one");
    private static final TimelineId OTHER = new TimelineId("other");

    private Path directory;

    @BeforeEach
    void create() throws IOException {
        assumeTrue(UntrustedDirectory.ownUser() == 0, "only root gives users away");
        directory = TestDirectories.create();
    }

    @AfterEach
    void delete() throws IOException {
        if (directory != null) {
            DurableFiles.deleteRecursively(directory);
        }
    }

    private ComputeUsers open(String identity, UserRange range) {
        return ComputeUsers.open(directory.resolve("users"), identity, range, Optional.empty());
    }

    @Test
    void each_has_its_own_and_keeps_it() {
        ComputeUsers users = open("a", UserRange.DEFAULT);
        Set<Integer> all = new HashSet<>(List.of(
                users.of(ONE).uid(),
                users.of(OTHER).uid(),
                users.named("catalog").uid()));
        assertThat(all).hasSize(3).allMatch(uid -> uid >= 1_900_000_000 && uid <= 1_999_999_999);
        assertThat(users.of(ONE).gid()).isEqualTo(users.of(ONE).uid());

        ComputeUsers again = open("a", UserRange.DEFAULT);
        assertThat(again.knownOf(ONE)).contains(users.of(ONE));
        assertThat(again.named("catalog")).isEqualTo(users.named("catalog"));
    }

    @Test
    void a_copy_of_the_data_directory_draws_anew() {
        ComputeUser original = open("a", UserRange.DEFAULT).of(ONE);
        ComputeUsers copy = open("b", UserRange.DEFAULT);
        assertThat(copy.knownOf(ONE)).isEmpty();
        assertThat(copy.of(ONE)).isNotEqualTo(original);
    }

    @Test
    void a_number_is_free_again_when_its_timeline_is_gone_and_never_before() {
        UserRange three = new UserRange(1_900_000_000, 1_900_000_002);
        ComputeUsers users = open("a", three);
        users.of(ONE);
        users.of(OTHER);
        users.named("catalog");
        assertThatThrownBy(() -> users.of(new TimelineId("third"))).hasMessageContaining("compute.uids");
        users.keepOnly(Set.of(ONE));
        assertThat(users.of(new TimelineId("third"))).isNotEqualTo(users.of(ONE));
    }

    @Test
    void a_number_that_a_process_has_is_not_drawn_and_its_processes_can_be_ended() throws Exception {
        UserRange two = new UserRange(1_900_000_010, 1_900_000_011);
        ComputeUser busy = ComputeUser.ofNumber(1_900_000_010);
        Process process = new ProcessBuilder(busy.command(
                        List.of("/bin/sh", "-c", "setsid sh -c 'setsid sleep 600 & sleep 600' & sleep 600")))
                .start();
        try {
            while (!UserProcesses.users(Path.of("/proc")).contains(busy.uid())) {
                Thread.sleep(5);
            }
            assertThat(open("a", two).of(ONE).uid()).isEqualTo(1_900_000_011);
            UserProcesses.end(busy, new LocalProcessDriver(TestDirectories.sandbox()));
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(UserProcesses.users(Path.of("/proc"))).doesNotContain(busy.uid());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void ranges_are_checked() {
        assertThat(UserRange.parse("2000 - 3000")).isEqualTo(new UserRange(2000, 3000));
        for (String wrong :
                List.of("", "5", "10-20", "3000-2000", "a-b", "1900000000-2147483647", "2000-99999999999")) {
            assertThatThrownBy(() -> UserRange.parse(wrong)).as(wrong).hasMessageContaining("FIRST-LAST");
        }
    }
}
