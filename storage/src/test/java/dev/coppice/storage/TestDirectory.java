package dev.coppice.storage;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** A fresh directory below the build's, gone when closed. Others may pass through it, as a server's user must. */
public final class TestDirectory implements AutoCloseable {
    private final Path path;

    public TestDirectory() {
        try {
            Path parent = buildDirectory().resolve("test-data");
            Files.createDirectories(parent);
            path = Files.createTempDirectory(parent, "t");
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x--x"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static Path buildDirectory() {
        return Path.of(System.getProperty("coppice.build.directory", "target")).toAbsolutePath();
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() {
        try {
            DurableFiles.deleteRecursively(path);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
