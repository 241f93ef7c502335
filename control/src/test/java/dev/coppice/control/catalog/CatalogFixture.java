package dev.coppice.control.catalog;

import dev.coppice.compute.ComputeUser;
import dev.coppice.compute.InterposerLibrary;
import dev.coppice.compute.PostgresBinaries;
import dev.coppice.compute.sandbox.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** A data directory with short paths that an unprivileged user may enter, and the binaries, shared by all tests. */
public final class CatalogFixture {
    private CatalogFixture() {}

    public static ComputeUser user() {
        return ComputeUser.detect();
    }

    public static Path interposer() {
        return InterposerLibrary.prepare(buildDirectory().resolve("postgres"));
    }

    /** The catalog's, of a server that runs in a data directory. */
    public static Path socket(Path data) throws IOException {
        try (Stream<Path> names = Files.list(data.resolve("run/catalog"))) {
            return names.findFirst().orElseThrow().resolve(".s.PGSQL.5432");
        }
    }

    public static Path binaries() {
        return PostgresBinaries.prepare(buildDirectory().resolve("postgres"), Optional.empty())
                .bin();
    }

    public static Sandbox sandbox() {
        return Sandbox.preferred(buildDirectory().resolve("postgres"));
    }

    public static Path newDataDirectory() throws IOException {
        Path directory = Files.createTempDirectory(Files.createDirectories(buildDirectory()), "d");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        return directory;
    }

    public static void delete(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static Path buildDirectory() {
        return Path.of(System.getProperty("coppice.build.directory", "target")).toAbsolutePath();
    }
}
