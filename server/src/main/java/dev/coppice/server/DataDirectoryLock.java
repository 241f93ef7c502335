package dev.coppice.server;

import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;

/**
 * One server per data directory: an exclusive lock on {@code coppice.lock}, gone with the process. The file says which process it is,
 * for {@code coppice stop}: its id, a blank, and when it started in milliseconds since 1970.
 */
final class DataDirectoryLock implements AutoCloseable {
    private final FileChannel channel;

    private DataDirectoryLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Makes the directory if it is missing, and locks it. Others may pass through it, since computes run as another user,
     * but not list it.
     *
     * @throws ServerStartException when another server has it, or nothing could run on it
     */
    static DataDirectoryLock take(Path data) throws IOException {
        // The dynamic linker takes both for the end of a library's path (LD_PRELOAD), whatever is done to quote them.
        if (data.toString().chars().anyMatch(c -> c == ':' || Character.isWhitespace(c))) {
            throw new ServerStartException("the data directory \"" + data
                    + "\" has a blank or a colon in its path, and Postgres cannot be given a library from there: choose another"
                    + " with --data");
        }
        Files.createDirectories(data);
        requireOwn(data);
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx--x--x"));
        FileChannel channel =
                FileChannel.open(data.resolve("coppice.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new ServerStartException("another server is running on " + data
                        + ": stop it, or choose another directory with --data and other ports in the configuration");
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(self().getBytes(StandardCharsets.US_ASCII)), 0);
            return new DataDirectoryLock(channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Root may use everybody's. */
    private static void requireOwn(Path data) throws IOException {
        int own = UntrustedDirectory.ownUser();
        Object owner = Files.getAttribute(data, "unix:uid");
        if (own != 0 && !owner.equals(own)) {
            throw new ServerStartException(
                    "the data directory " + data + " belongs to user " + owner + ", and this server runs as user " + own
                            + ": start it as that user, or choose another with --data");
        }
    }

    private static String self() {
        ProcessHandle self = ProcessHandle.current();
        long started = self.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
        return self.pid() + " " + started + "\n";
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
