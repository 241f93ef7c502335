package dev.coppice.compute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * Directories in memory (tmpfs), in one that belongs to this process's user: {@code pages} for what agents share with computes, and one
 * for the POSIX shared memory of each compute, which no other may enter. Postgres would have it in {@code /dev/shm} itself, side by side
 * with everybody's; the interposer sends it here.
 */
public record MemoryDirectory(Path path) {
    /** On every Linux with glibc or musl. */
    private static final Path MEMORY = Path.of("/dev/shm");

    private static final Set<PosixFilePermission> TO_PASS = PosixFilePermissions.fromString("rwx--x--x");
    private static final int NAME_BYTES = 8;

    /**
     * Of the files by which agents hand over pages: their names cannot be guessed, and the directory cannot be listed.
     *
     * @throws IOException when somebody else has made it first
     */
    public static Path pages() throws IOException {
        return make(parent().resolve("pages"));
    }

    /** Of the compute that has this data directory. */
    static MemoryDirectory of(Path dataDirectory) {
        return new MemoryDirectory(parent().resolve(name(dataDirectory)));
    }

    /** The same for one data directory at all times, and another for each. */
    String name() {
        return String.valueOf(path.getFileName());
    }

    /** Makes it, empty, for a compute that is about to start. */
    void prepare(ComputeUser user) throws IOException {
        make(parent());
        remove();
        user.privateDirectory(path);
    }

    /** Takes it away; processes that have something of it open keep that. */
    void remove() throws IOException {
        // Its files only, and by their own names: whoever runs as its owner could lead a walk through directories
        // elsewhere.
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
            for (Path file : files) {
                if (!Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(path);
        } catch (NoSuchFileException e) {
            // Nothing was there.
            return;
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private static Path parent() {
        return MEMORY.resolve("coppice-" + self());
    }

    /** In a directory that everybody may write, so whose it is has to be looked at. */
    private static Path make(Path directory) throws IOException {
        Path parent = directory.getParent();
        if (parent != null && !parent.equals(MEMORY)) {
            make(parent);
        }
        try {
            Files.createDirectory(directory);
            Files.setPosixFilePermissions(directory, TO_PASS);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                    || (int) Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS) != self()) {
                throw new IOException(directory + " was made by another user: remove it", e);
            }
        }
        return directory;
    }

    private static int self() {
        try {
            return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            throw new ComputeException("cannot tell whose process this is", e);
        }
    }

    private static String name(Path dataDirectory) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(dataDirectory.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, NAME_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
