package dev.coppice.compute;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * Tells the processes of one compute how long to wait before each page that they write: throttle.c reads it in their shared
 * memory. What is said holds for a moment and must be said again, so that nobody waits for a server that is away. For one
 * thread.
 */
final class WriteThrottle {
    /** THROTTLE_OFFSET of interposer.h. */
    private static final long OFFSET = 60 << 10;

    private static final byte[] MAGIC = "COPPICEM".getBytes(StandardCharsets.US_ASCII);
    private static final Duration VALID = Duration.ofSeconds(2);
    private static final int BYTES = 16;

    private volatile int said;

    /** What is said now, in microseconds. */
    int microseconds() {
        return said;
    }

    /**
     * Says it.
     *
     * @param map the compute's shared memory; the file is the compute's own, so it is not followed anywhere
     * @param microseconds for each page; 0 = no longer
     */
    void say(Path map, int microseconds) throws IOException {
        if (microseconds == 0 && said == 0) {
            return;
        }
        try (FileChannel channel =
                FileChannel.open(map, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            ByteBuffer magic = ByteBuffer.allocate(MAGIC.length);
            if (channel.read(magic, 0) != MAGIC.length || !magic.flip().equals(ByteBuffer.wrap(MAGIC))) {
                throw new IOException(map + " is not a compute's shared memory");
            }
            // System.nanoTime is CLOCK_MONOTONIC, which the processes read too.
            ByteBuffer word = ByteBuffer.allocate(BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(System.nanoTime() + VALID.toNanos())
                    .putInt(microseconds)
                    .putInt(0)
                    .flip();
            while (word.hasRemaining()) {
                channel.write(word, OFFSET + word.position());
            }
            said = microseconds;
        }
    }
}
