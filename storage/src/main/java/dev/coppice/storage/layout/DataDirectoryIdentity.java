package dev.coppice.storage.layout;

import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.FileFacts;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * Which data directory this is. A copy has another identity than its original: warm caches, users and running computes that are named in it are the original's. What tells them
 * apart is the directory's inode and when it was made, which a move within a file system keeps and no copy has.
 *
 * <p>While a server has the directory open the file {@value #IN_USE} says so. A copy with this file was made while a server ran, or after it was
 * killed and its computes ran on: files of different moments, which nobody can tell from a consistent whole. Such a copy is refused.
 */
public final class DataDirectoryIdentity {
    private static final String IDENTITY = "identity";
    private static final String IN_USE = "in-use";
    private static final int ID_BYTES = 12;

    private final Path data;
    private final String id;

    private DataDirectoryIdentity(Path data, String id) {
        this.data = data;
        this.id = id;
    }

    /**
     * Says who the directory is, and that a server uses it. The caller has its lock.
     *
     * @throws StorageException when it is a copy of a directory that was in use
     */
    public static DataDirectoryIdentity open(Path data) throws IOException {
        String place = place(data);
        String[] known = read(data.resolve(IDENTITY)).split("\n", -1);
        String id;
        if (known.length >= 2 && known[1].equals(place)) {
            id = known[0];
        } else {
            if (known.length >= 2 && Files.exists(data.resolve(IN_USE))) {
                throw new StorageException(
                        data + " is a copy of a data directory that was made while a server used it, so it may hold"
                                + " files of different moments. Stop the server (SIGTERM), then copy the directory. If the copy is"
                                + " one moment of the file system (a snapshot), or nothing ran when it was made, remove "
                                + data.resolve(IN_USE) + " and start again");
            }
            byte[] random = new byte[ID_BYTES];
            new SecureRandom().nextBytes(random);
            id = HexFormat.of().formatHex(random);
            DurableFiles.replace(
                    data.resolve(IDENTITY), (id + "\n" + place + "\n").getBytes(StandardCharsets.US_ASCII));
        }
        DurableFiles.replace(data.resolve(IN_USE), (id + "\n").getBytes(StandardCharsets.US_ASCII));
        return new DataDirectoryIdentity(data, id);
    }

    /** Another for each data directory, without blanks. */
    public String id() {
        return id;
    }

    /** Everything in it is at rest: copies are fine from now on. */
    public void release() throws IOException {
        Files.deleteIfExists(data.resolve(IN_USE));
        DurableFiles.syncDirectory(data);
    }

    private static String place(Path data) throws IOException {
        FileFacts facts = UntrustedDirectory.factsOf(data.toRealPath());
        return facts.inode() + " " + facts.born();
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.readString(file, StandardCharsets.US_ASCII);
        } catch (NoSuchFileException e) {
            return "";
        }
    }
}
