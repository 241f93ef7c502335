package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code src/test/c/attack.c}, compiled for a version of Postgres. */
final class AttackLibrary {
    private AttackLibrary() {}

    /** @param versionNumber {@code server_version_num} */
    static synchronized Path file(String versionNumber) throws IOException {
        String major = Integer.toString(Integer.parseInt(versionNumber) / 10000);
        Path made = Path.of("target", "attack-" + major + ".so").toAbsolutePath();
        Path source = Path.of("src", "test", "c", "attack.c").toAbsolutePath();
        if (!Files.exists(made) || Files.getLastModifiedTime(made).compareTo(Files.getLastModifiedTime(source)) < 0) {
            Programs.Result compiled = Programs.run(
                    List.of(
                            "cc",
                            "-std=gnu11",
                            "-O1",
                            "-fPIC",
                            "-shared",
                            "-Wall",
                            "-Wextra",
                            "-Werror",
                            "-DPG_MAJOR=" + major,
                            "-o",
                            made.toString(),
                            source.toString()),
                    "");
            assertThat(compiled.exitCode()).as(compiled.error()).isZero();
        }
        return made;
    }
}
