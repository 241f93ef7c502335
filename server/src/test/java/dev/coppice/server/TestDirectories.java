package dev.coppice.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Comparator;
import java.util.stream.Stream;

/** Where tests keep their files: below the build directory, unless Postgres's unprivileged user cannot get there. */
final class TestDirectories {
    /** Of a data directory: room for {@code run/<endpoint>/<12 letters>/.s.PGSQL.5432} within the 106 bytes of a Unix socket's path. */
    private static final int PATH_LENGTH_MAX = 50;

    private TestDirectories() {}

    static Path create(String name) throws IOException {
        Path build =
                Path.of(System.getProperty("coppice.build.directory", "target")).toAbsolutePath();
        boolean usable = isReachable(build) && build.toString().length() + name.length() < PATH_LENGTH_MAX - 25;
        Path directory = usable ? Files.createTempDirectory(build, name) : Files.createTempDirectory("c-" + name);
        Files.setPosixFilePermissions(directory, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
        return directory;
    }

    private static boolean isReachable(Path directory) throws IOException {
        for (Path at = directory; at != null; at = at.getParent()) {
            if (!Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                return false;
            }
        }
        return true;
    }

    static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
