package dev.coppice.storage;

import dev.coppice.storage.io.FileWrites;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.NullUnmarked;

/** A disk that fails: writes are cut short, syncs, renames and links refused, all at random or from some step on for ever. */
@NullUnmarked
final class FaultyWrites extends FileWrites {
    private final Random random;
    private double probability;
    private long stepsToCrash = Long.MAX_VALUE;
    private int faults;

    FaultyWrites(Random random) {
        this.random = random;
    }

    /** Each step fails with this probability; 0 is a good disk. */
    synchronized void fail(double probability) {
        this.probability = probability;
        stepsToCrash = Long.MAX_VALUE;
    }

    /** After so many steps nothing succeeds any more, as after a kill. */
    synchronized void crashAfter(int steps) {
        stepsToCrash = steps;
    }

    /** How often it failed since it was asked last. */
    synchronized int takeFaults() {
        int taken = faults;
        faults = 0;
        return taken;
    }

    private synchronized boolean fails() {
        stepsToCrash--;
        boolean fails = stepsToCrash < 0 || random.nextDouble() < probability;
        faults += fails ? 1 : 0;
        return fails;
    }

    private synchronized int part(int of) {
        return random.nextInt(of + 1);
    }

    @Override
    public void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        if (fails()) {
            channel.write(bytes.slice(bytes.position(), part(bytes.remaining())));
            throw new IOException("No space left on device (test)");
        }
        super.write(channel, bytes);
    }

    @Override
    public void force(FileChannel channel) throws IOException {
        if (fails()) {
            throw new IOException("Input/output error at fsync (test)");
        }
        super.force(channel);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        if (fails()) {
            throw new IOException("Input/output error at fsync of a directory (test)");
        }
        super.forceDirectory(directory);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        if (fails()) {
            throw new IOException("rename failed (test)");
        }
        super.rename(from, to);
    }

    @Override
    public void link(Path name, Path existing) throws IOException {
        if (fails()) {
            throw new IOException("link failed (test)");
        }
        super.link(name, existing);
    }
}
