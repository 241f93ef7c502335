package dev.coppice.storage.io;

import dev.coppice.storage.fault.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/** Steps that survive a power cut: file first, then the directory that names it. */
public final class DurableFiles {
    private static final int SYNC_THREADS = 8;
    private static final FileAttribute<Set<PosixFilePermission>> FOR_ITS_OWNER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private DurableFiles() {}

    /**
     * Replaces {@code file}, which only its owner may read then. Crash argument: the content is synced under a temporary name before the rename, and the
     * rename is synced before this returns, so a reader finds the old or the new content, whole.
     */
    public static void replace(Path file, byte[] content) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        try (FileChannel channel = FileChannel.open(
                temporary, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), FOR_ITS_OWNER)) {
            ByteBuffer buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            syncDirectory(directory);
        }
    }

    /** Makes the names in a directory durable. */
    public static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Makes a file's bytes durable, whoever wrote them. */
    public static void syncData(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(false);
        }
    }

    /** Makes a directory with everything in it durable; links are not followed. */
    public static void syncTree(Path root) throws IOException {
        // Several at once share the commits of the file system's journal.
        try (ExecutorService threads = Executors.newFixedThreadPool(SYNC_THREADS)) {
            List<Future<?>> running = new ArrayList<>();
            try (Stream<Path> paths = Files.walk(root)) {
                for (Path path : (Iterable<Path>) paths::iterator) {
                    if (!Files.isSymbolicLink(path)) {
                        running.add(threads.submit(() -> {
                            syncDirectory(path);
                            return path;
                        }));
                    }
                }
            }
            for (Future<?> one : running) {
                one.get();
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (ExecutionException e) {
            throw new IOException("cannot sync " + root, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while syncing " + root, e);
        }
    }

    /** Creates the directory when it is absent; mode 0700. */
    public static void createPrivateDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        }
    }

    /** Lets another user pass through a directory to what lies in it and is his; he cannot list or change it. */
    public static void openTo(Path directory, int uid) throws IOException {
        if (!Integer.valueOf(uid).equals(Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS))) {
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        }
    }

    /** Gives a file or directory (not what a link points to) to a numeric user and group. */
    public static void changeOwner(Path path, int uid, int gid) {
        try {
            if (!Integer.valueOf(uid).equals(Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS))) {
                Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
            }
            if (!Integer.valueOf(gid).equals(Files.getAttribute(path, "unix:gid", LinkOption.NOFOLLOW_LINKS))) {
                Files.setAttribute(path, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
            }
        } catch (IOException e) {
            throw new StorageException("cannot give " + path + " to user " + uid + ", group " + gid, e);
        }
    }

    /**
     * Deletes a file or a directory with everything in it, without following links, also when others change it meanwhile; a missing one is
     * fine.
     *
     * @param root an entry of a directory that only this process's user can change
     */
    public static void deleteRecursively(Path root) throws IOException {
        DirectoryTree.delete(root);
    }
}
