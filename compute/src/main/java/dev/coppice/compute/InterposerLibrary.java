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
 * The library that goes into every Postgres process of a compute, as a file. The file's name has a checksum of its content:
 * running computes keep the library that they were started with when a newer server unpacks another one.
 */
public final class InterposerLibrary {
    private static final String NAME = "libcoppice_interposer";

    private InterposerLibrary() {}

    /** Writes the library of this machine's architecture into a directory, unless it is there, and says where it is. */
    public static Path prepare(Path directory) {
        String resource = "/META-INF/native/linux-" + System.getProperty("os.arch") + "/" + NAME + ".so";
        try (InputStream in = InterposerLibrary.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new ComputeException("this build has no interposer for " + System.getProperty("os.arch")
                        + ": build it on such a machine");
            }
            byte[] library = in.readAllBytes();
            CRC32C checksum = new CRC32C();
            checksum.update(library);
            Path file = directory.resolve("%s-%08x.so".formatted(NAME, checksum.getValue()));
            if (Files.exists(file) && Files.size(file) == library.length) {
                return file;
            }
            Files.createDirectories(directory);
            Path temporary = Files.createTempFile(directory, NAME, ".tmp");
            Files.write(temporary, library);
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
            DurableFiles.syncData(temporary);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            DurableFiles.syncDirectory(directory);
            return file;
        } catch (IOException e) {
            throw new ComputeException("cannot write the interposer into " + directory, e);
        }
    }
}
