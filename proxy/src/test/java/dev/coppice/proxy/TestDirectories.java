package dev.coppice.proxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Comparator;
import java.util.stream.Stream;

/** Where tests put files: below the build directory, or, where Postgres's user cannot get there, below the system's. */
final class TestDirectories {
    private TestDirectories() {}

    static Path base() {
        Path build = Path.of(System.getProperty("coppice.build.directory", "target"))
                .toAbsolutePath()
                .normalize();
        return openToOthers(build) ? build : Path.of(System.getProperty("java.io.tmpdir"));
    }

    private static boolean openToOthers(Path directory) {
        try {
            Files.createDirectories(directory);
            for (Path p = directory; p != null; p = p.getParent()) {
                if (!Files.getPosixFilePermissions(p).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
