package dev.coppice.control.catalog;

import dev.coppice.compute.PostgresBinaries;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/** The Postgres versions that tests can run: the bundled one, the oldest that is supported, and what the machine has. */
public final class PostgresVersions {
    private PostgresVersions() {}

    public static PostgresBinaries bundled() {
        return PostgresBinaries.prepare(buildDirectory().resolve("postgres"), Optional.empty());
    }

    /** The oldest supported one, which the build lays beside its classes as an archive. */
    public static synchronized PostgresBinaries oldest() throws IOException {
        Path target = buildDirectory().resolve("postgres/oldest");
        if (!Files.exists(target)) {
            Path temporary = Files.createTempDirectory(Files.createDirectories(target.getParent()), "unpacking");
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
            unpack(Path.of("target", "postgres-oldest.jar"), temporary);
            Files.move(temporary, target);
        }
        return PostgresBinaries.prepare(target, Optional.of(target.resolve("bin")));
    }

    /** Debian's packages; they can do more, lz4 for one. */
    public static List<PostgresBinaries> installed() throws IOException {
        Path debian = Path.of("/usr/lib/postgresql");
        if (!Files.isDirectory(debian)) {
            return List.of();
        }
        try (Stream<Path> versions = Files.list(debian)) {
            return versions.filter(each -> each.getFileName().toString().matches("1[4-8]")
                            && Files.isExecutable(each.resolve("bin/initdb")))
                    .sorted()
                    .map(each -> PostgresBinaries.prepare(each, Optional.of(each.resolve("bin"))))
                    .toList();
        }
    }

    private static void unpack(Path jar, Path directory) throws IOException {
        try (JarFile archive = new JarFile(jar.toFile())) {
            ZipEntry inner = archive.stream()
                    .filter(entry -> entry.getName().endsWith(".txz"))
                    .findFirst()
                    .orElseThrow();
            try (InputStream raw = archive.getInputStream(inner);
                    TarArchiveInputStream tar =
                            new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(raw)))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    Path path = directory.resolve(entry.getName()).normalize();
                    if (entry.isDirectory()) {
                        Files.createDirectories(path);
                    } else if (entry.isSymbolicLink()) {
                        Files.createDirectories(path.getParent());
                        Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                    } else {
                        Files.createDirectories(path.getParent());
                        Files.copy(tar, path);
                        Files.setPosixFilePermissions(
                                path,
                                PosixFilePermissions.fromString(
                                        (entry.getMode() & 0100) != 0 ? "rwxr-xr-x" : "rw-r--r--"));
                    }
                }
            }
        }
    }

    private static Path buildDirectory() {
        return Path.of(System.getProperty("coppice.build.directory", "target")).toAbsolutePath();
    }
}
