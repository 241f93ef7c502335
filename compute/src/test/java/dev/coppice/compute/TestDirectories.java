package dev.coppice.compute;

import dev.coppice.common.config.UserRange;
import dev.coppice.compute.sandbox.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/** Directories of tests: below the build directory, and open to the computes' user, which a JUnit directory is not. */
final class TestDirectories {
    private TestDirectories() {}

    /** Kept short for the sake of socket paths. */
    static Path create() throws IOException {
        Path parent = Files.createDirectories(Path.of(System.getProperty("coppice.build.directory", "target"))
                .toAbsolutePath()
                .resolve("t"));
        Path directory = Files.createTempDirectory(parent, "");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        return directory;
    }

    /** Where binaries are unpacked once for all tests of this build. */
    static Path shared() {
        return Path.of(System.getProperty("coppice.build.directory", "target"))
                .toAbsolutePath()
                .resolve("postgres");
    }

    static Sandbox sandbox() {
        return Sandbox.preferred(shared());
    }

    static PostgresBinaries binaries() {
        return PostgresBinaries.prepare(shared(), Optional.empty());
    }

    /** The library for the processes of computes. */
    static Path interposer() {
        return InterposerLibrary.prepare(shared());
    }

    /** Who computes run as that have their data in a directory. */
    static ComputeUsers users(Path directory) {
        return ComputeUsers.open(directory.resolve("users"), "test", UserRange.DEFAULT, Optional.empty());
    }
}
