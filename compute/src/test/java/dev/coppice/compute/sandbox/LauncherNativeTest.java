package dev.coppice.compute.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Builds the launcher with the address and undefined-behaviour sanitizers, and lets native code try what it must not. */
class LauncherNativeTest {
    private static final Path SOURCES = Path.of("src", "main", "c", "cage");
    private static final Path SUITE = Path.of("src", "test", "c", "cage_test.c");

    @Test
    void holds_native_code_back_and_only_what_it_should() throws Exception {
        Path directory = Files.createTempDirectory("coppice-c");
        try {
            // The suite also runs as another user.
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path launcher = directory.resolve("coppice-cage");
            List<String> build = compiler("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all");
            try (Stream<Path> files = Files.list(SOURCES)) {
                files.map(Path::toString).filter(name -> name.endsWith(".c")).forEach(build::add);
            }
            build.addAll(List.of("-o", launcher.toString()));
            assertThat(run(build)).isEqualTo("");
            Path suite = directory.resolve("cage_test");
            List<String> buildSuite = compiler("-O1", SUITE.toString(), "-o", suite.toString());
            assertThat(run(buildSuite)).isEqualTo("");

            Path scratch = Files.createDirectory(directory.resolve("t"));
            assertThat(run(List.of(suite.toString(), launcher.toString(), scratch.toString())))
                    .contains("0 failures");
        } finally {
            DurableFiles.deleteRecursively(directory);
        }
    }

    private static List<String> compiler(String... options) {
        List<String> command = new ArrayList<>(List.of(
                System.getenv().getOrDefault("CC", "cc"), "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wshadow"));
        command.addAll(List.of(options));
        return command;
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }
}
