package dev.coppice.storage.upkeep;

import dev.coppice.storage.io.FileWrites;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/** Writes that pause as long as they work, and stop when they are told to: merging must not be felt by a compute. */
final class MergeWrites extends FileWrites {
    /** Bytes between two pauses. */
    private static final long STRETCH = 1 << 20;

    private static final long LONGEST_PAUSE_NANOS = 200_000_000;

    private final FileWrites writes;
    private final boolean pausing;
    private final BooleanSupplier stopped;
    private long written;
    private long stretchBegan = System.nanoTime();

    /**
     * @param pausing whether others shall have the machine half of the time
     * @param stopped makes the next write fail
     */
    MergeWrites(FileWrites writes, boolean pausing, BooleanSupplier stopped) {
        this.writes = writes;
        this.pausing = pausing;
        this.stopped = stopped;
    }

    @Override
    public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        if (stopped.getAsBoolean()) {
            throw new IOException("stopped");
        }
        written += bytes.remaining();
        writes.write(channel, bytes);
        if (pausing && written >= STRETCH) {
            pause();
        }
    }

    private void pause() throws IOException {
        long worked = Math.min(LONGEST_PAUSE_NANOS, System.nanoTime() - stretchBegan);
        try {
            Thread.sleep(worked / 1_000_000, (int) (worked % 1_000_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        written = 0;
        stretchBegan = System.nanoTime();
    }

    @Override
    public void force(FileChannel channel) throws IOException {
        writes.force(channel);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        writes.forceDirectory(directory);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        writes.rename(from, to);
    }

    @Override
    public void link(Path name, Path existing) throws IOException {
        writes.link(name, existing);
    }
}
