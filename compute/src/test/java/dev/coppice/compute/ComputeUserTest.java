package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ComputeUserTest {
    private static final ComputeUser STRANGER = new ComputeUser("stranger", 64321, 64321, false, false);

    private Path directory;

    @BeforeEach
    void create() throws IOException {
        directory = TestDirectories.create();
    }

    @AfterEach
    void delete() throws IOException {
        DurableFiles.deleteRecursively(directory);
    }

    @Test
    void is_never_root() {
        assertThat(ComputeUser.detect().uid()).isNotZero();
        assertThat(ComputeUser.detect()).isEqualTo(ComputeUser.detect());
    }

    @Test
    void another_user_gets_commands_through_setpriv_and_oneself_as_they_are() {
        assertThat(STRANGER.command(List.of("postgres")))
                .containsExactly("setpriv", "--reuid=64321", "--regid=64321", "--clear-groups", "postgres");
        assertThat(new ComputeUser("me", 1000, 1000, true, true).command(List.of("postgres")))
                .containsExactly("postgres");
    }

    @Test
    void names_the_directory_that_bars_the_way() throws IOException {
        Path closed = Files.createDirectory(
                directory.resolve("closed"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path inside = Files.createDirectory(closed.resolve("inside"));

        assertThatThrownBy(() -> STRANGER.requireReach(inside))
                .isInstanceOf(ComputeException.class)
                .hasMessageContaining("may not enter " + closed.toRealPath())
                .hasMessageContaining("chmod o+x");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx--x--x"));
        assertThatCode(() -> STRANGER.requireReach(inside)).doesNotThrowAnyException();
    }
}
