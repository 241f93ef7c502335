package dev.coppice.compute.agent;

import dev.coppice.compute.ComputeUser;
import dev.coppice.compute.MemoryDirectory;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory of one connection that both sides have mapped: the agent puts pages there, which spares two copies through the
 * socket. The compute may read it and neither write nor shrink it, so nothing that runs in a compute can disturb this process.
 * Belongs to the thread that made it. Its file has a name only until the other side has opened it, or the connection ends.
 */
final class SharedPages implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SharedPages.class);

    private static final int SIZE = Protocol.PAGES_MAX * Protocol.BLOCK_SIZE;

    /** Bounds the memory; a connection without does as well, only slower. */
    private static final Semaphore PLACES = new Semaphore(64);

    private static final String PREFIX = "coppice-";
    private static final Duration LEFTOVER_AGE = Duration.ofMinutes(10);

    static {
        sweep();
    }

    private final Path file;
    private final Arena arena;
    private final ByteBuffer memory;
    private boolean named = true;

    private SharedPages(Path file, Arena arena, ByteBuffer memory) {
        this.file = file;
        this.arena = arena;
        this.memory = memory;
    }

    /** Empty when there is no memory for another connection. */
    static Optional<SharedPages> create(ComputeUser user) {
        if (!PLACES.tryAcquire()) {
            return Optional.empty();
        }
        Path file;
        try {
            file = MemoryDirectory.pages().resolve(PREFIX + UUID.randomUUID());
        } catch (IOException e) {
            log.debug("No shared memory for a connection: {}", e.getMessage());
            PLACES.release();
            return Optional.empty();
        }
        Arena arena = Arena.ofConfined();
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")))) {
            if (!user.own()) {
                DurableFiles.changeOwner(file, 0, user.gid());
            }
            // Written, not only sized: touching a page for which the machine has no memory would end this process.
            ByteBuffer zeroes = ByteBuffer.allocate(SIZE);
            while (zeroes.hasRemaining()) {
                channel.write(zeroes);
            }
            return Optional.of(new SharedPages(
                    file,
                    arena,
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, SIZE, arena).asByteBuffer()));
        } catch (IOException | StorageException e) {
            log.debug("No shared memory for a connection: {}", e.getMessage());
            arena.close();
            delete(file);
            PLACES.release();
            return Optional.empty();
        }
    }

    /** Where the other side can open it. */
    Path file() {
        return file;
    }

    /** {@link Protocol#PAGES_MAX} blocks. */
    ByteBuffer memory() {
        return memory;
    }

    /** Takes the name away: the other side has it open, or never will. */
    void unname() {
        if (named) {
            named = false;
            delete(file);
        }
    }

    @Override
    public void close() {
        unname();
        arena.close();
        PLACES.release();
    }

    /** Takes away what a server that was killed has left; whoever has one open keeps it. */
    private static void sweep() {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(MemoryDirectory.pages(), PREFIX + "*")) {
            Instant oldest = Instant.now().minus(LEFTOVER_AGE);
            for (Path file : files) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(oldest)) {
                    delete(file);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            log.debug("Cannot look for shared memory that was left behind", e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            log.warn("Cannot delete {}", file, e);
        }
    }
}
