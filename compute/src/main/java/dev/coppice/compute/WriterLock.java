package dev.coppice.compute;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * The lock that every process of a compute holds ({@code docs/page-protocol.md}, section 4), seen from outside. Looking
 * takes the lock for a moment, so it must not happen while a compute is being started.
 */
record WriterLock(Path file) {
    private static final long POLL_MILLIS = 2;

    /** Whether no process of a compute is left. */
    boolean isFree() {
        if (!Files.exists(file)) {
            return true;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException e) {
            throw new ComputeException("cannot look at the lock " + file, e);
        }
    }

    /** Waits until no process of a compute is left; false when there still is one after the time. */
    boolean awaitFree(Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!isFree()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            Thread.sleep(POLL_MILLIS);
        }
        return true;
    }
}
