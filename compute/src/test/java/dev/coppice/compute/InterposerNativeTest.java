package dev.coppice.compute;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Builds the interposer with the address and undefined-behaviour sanitizers and runs its own suite in C. */
class InterposerNativeTest {
    private static final Path SOURCES = Path.of("src", "main", "c");
    private static final Path SUITE = Path.of("src", "test", "c", "interposer_test.c");

    @Test
    void passes_its_own_suite_under_the_sanitizers() throws Exception {
        // A short path: the suite's Unix socket lives in it, and its length is limited.
        Path directory = Files.createTempDirectory("coppice-c");
        try {
            // The library acts only in programs of Postgres, by name.
            Path program = directory.resolve("postgres");
            List<String> build = new ArrayList<>(List.of(
                    System.getenv().getOrDefault("CC", "cc"),
                    "-std=gnu11",
                    "-O1",
                    "-g",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=all",
                    "-pthread",
                    // The suite has what a postgres exports.
                    "-rdynamic",
                    "-o",
                    program.toString(),
                    SUITE.toString()));
            try (Stream<Path> files = Files.list(SOURCES)) {
                files.map(Path::toString).filter(name -> name.endsWith(".c")).forEach(build::add);
            }
            build.add("-ldl");
            assertThat(run(build)).isEqualTo("");

            Path timeline = Files.createDirectory(directory.resolve("t"));
            assertThat(run(List.of(program.toString(), timeline.toString()))).contains("0 failures");
        } finally {
            deleteTree(directory);
        }
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
