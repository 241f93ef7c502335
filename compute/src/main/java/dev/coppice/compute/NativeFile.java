package dev.coppice.compute;

import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.zip.CRC32C;

/**
 * A program or library of this build for this machine's architecture, as a file. The file's name has a checksum of its content:
 * what runs keeps the one that it was started with when a newer server unpacks another.
 */
public final class NativeFile {
    private NativeFile() {}

    /**
     * Writes it into a directory, unless it is there, and says where it is.
     *
     * @param suffix of the file's name, {@code .so} for a library
     */
    public static Path prepare(Path directory, String name, String suffix) {
        String resource = "/META-INF/native/linux-" + System.getProperty("os.arch") + "/" + name + suffix;
        try (InputStream in = NativeFile.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new ComputeException("this build has no " + name + " for " + System.getProperty("os.arch")
                        + ": build it on such a machine");
            }
            byte[] content = in.readAllBytes();
            CRC32C checksum = new CRC32C();
            checksum.update(content);
            Path file = directory.resolve("%s-%08x%s".formatted(name, checksum.getValue(), suffix));
            if (Files.exists(file) && Files.size(file) == content.length) {
                return file;
            }
            Files.createDirectories(directory);
            Path temporary = Files.createTempFile(directory, name, ".tmp");
            Files.write(temporary, content);
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
            DurableFiles.syncData(temporary);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            DurableFiles.syncDirectory(directory);
            return file;
        } catch (IOException e) {
            throw new ComputeException("cannot write " + name + " into " + directory, e);
        }
    }
}
