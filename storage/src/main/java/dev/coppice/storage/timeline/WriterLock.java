package dev.coppice.storage.timeline;

import dev.coppice.storage.fault.StorageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** The file whose lock every process of a compute holds. This side only ever asks whether it is held. */
public final class WriterLock {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private static final Set<PosixFilePermission> FOR_OTHERS = PosixFilePermissions.fromString("------rwx");

    private final Path file;

    public WriterLock(Path file) {
        this.file = file;
    }

    public Path file() {
        return file;
    }

    /** Only for its owner, and the group of a compute's user: whoever may read it may lock it, and so keep the timeline from every compute. */
    void create() throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        } else if (Files.getPosixFilePermissions(file).stream().anyMatch(FOR_OTHERS::contains)) {
            Files.setPosixFilePermissions(file, OWNER_ONLY);
        }
    }

    /** Whether a process holds it. */
    public synchronized boolean isHeld() {
        if (!Files.exists(file)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            // Only this method locks it, one thread at a time for each timeline: somebody opened the directory twice.
            throw new StorageException(file + " is tested by two page services of this process", e);
        } catch (IOException e) {
            throw new StorageException("cannot test the lock " + file, e);
        }
    }
}
