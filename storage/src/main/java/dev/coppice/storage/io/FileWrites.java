package dev.coppice.storage.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The steps by which a file becomes durable, one method each, so that a test can make any of them fail, stop half-way or
 * write something else. Stateless; safe for any number of threads.
 */
public class FileWrites {
    /** Straight to the file system. */
    public static final FileWrites DIRECT = new FileWrites();

    /** For tests, which override; others use {@link #DIRECT}. */
    protected FileWrites() {}

    /** Writes all of {@code bytes} at the channel's position. */
    public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Makes a file's bytes and size durable. */
    public void force(FileChannel channel) throws IOException {
        channel.force(true);
    }

    /** Makes the names in a directory durable. */
    public void forceDirectory(Path directory) throws IOException {
        DurableFiles.syncDirectory(directory);
    }

    /** Renames within a directory; an existing target is replaced. */
    public void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * Gives an existing file a second name.
     *
     * @throws java.nio.file.FileAlreadyExistsException when {@code name} is taken; it is left alone
     */
    public void link(Path name, Path existing) throws IOException {
        Files.createLink(name, existing);
    }
}
