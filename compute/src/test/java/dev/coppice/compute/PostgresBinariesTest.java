package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PostgresBinariesTest {
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
    void unpacks_a_server_that_runs_as_the_computes_user_and_leaves_nothing_else() throws Exception {
        PostgresBinaries binaries = PostgresBinaries.prepare(directory, Optional.empty());

        Process process = new ProcessBuilder(
                        ComputeUser.detect().command(List.of(binaries.postgres().toString(), "--version")))
                .redirectErrorStream(true)
                .start();
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .startsWith("postgres (PostgreSQL) " + binaries.majorVersion() + ".");
        assertThat(process.waitFor()).isZero();
        try (Stream<Path> entries = Files.list(directory)) {
            assertThat(entries).hasSize(1);
        }
    }

    @Test
    void uses_what_is_unpacked_already() throws IOException {
        PostgresBinaries first = PostgresBinaries.prepare(directory, Optional.empty());
        Files.writeString(first.bin().resolve("untouched"), "");

        assertThat(PostgresBinaries.prepare(directory, Optional.empty())).isEqualTo(first);
        assertThat(first.bin().resolve("untouched")).exists();
    }

    @Test
    void takes_an_installed_server() {
        Path installed = TestDirectories.binaries().bin();

        PostgresBinaries binaries = PostgresBinaries.prepare(directory, Optional.of(installed));

        assertThat(binaries.bin()).isEqualTo(installed);
        assertThat(binaries.majorVersion()).isGreaterThanOrEqualTo(18);
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void says_what_is_missing_in_an_installed_server() {
        assertThatThrownBy(() -> PostgresBinaries.prepare(directory, Optional.of(directory)))
                .isInstanceOf(ComputeException.class)
                .hasMessageContaining("postgres.bin")
                .hasMessageContaining(directory.toString());
    }
}
