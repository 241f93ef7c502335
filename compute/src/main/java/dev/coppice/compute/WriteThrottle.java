package dev.coppice.compute;

import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;

/**
 * Tells the processes of one compute how long to wait before each page that they write, and whether tables may grow: throttle.c and space.c read it in their
 * shared memory. What is said holds for a moment and must be said again, so that nobody waits for a server that is away. For one
 * thread.
 */
final class WriteThrottle {
    /** THROTTLE_OFFSET of interposer.h. */
    private static final long OFFSET = 60 << 10;

    private static final byte[] MAGIC = "COPPICEM".getBytes(StandardCharsets.US_ASCII);
    private static final Duration VALID = Duration.ofSeconds(2);

    /** SPACE_REASON of interposer.h. */
    private static final int REASON_MAX = 192;

    private static final int BYTES = 16 + REASON_MAX;

    private volatile int said;
    private volatile String saidWhy = "";

    /** What is said now, in microseconds. */
    int microseconds() {
        return said;
    }

    /**
     * Says it.
     *
     * @param map the compute's shared memory; the file is the compute's own, so it is not followed anywhere
     * @param microseconds for each page; 0 = no longer
     * @param full why no table may grow; empty = they may
     */
    void say(Path map, int microseconds, String full) throws IOException {
        if (microseconds == 0 && said == 0 && full.isEmpty() && saidWhy.isEmpty()) {
            return;
        }
        String name = String.valueOf(map.getFileName());
        try (UntrustedDirectory local = UntrustedDirectory.open(
                Objects.requireNonNull(map.toAbsolutePath().getParent()))) {
            if (!Arrays.equals(local.head(name, MAGIC.length), MAGIC)) {
                throw new IOException(map + " is not a compute's shared memory");
            }
            say(local, name, microseconds, full);
            said = microseconds;
            saidWhy = full;
        }
    }

    private static void say(UntrustedDirectory local, String name, int microseconds, String full) throws IOException {
        try (FileChannel channel = local.write(name)) {
            // System.nanoTime is CLOCK_MONOTONIC, which the processes read too.
            ByteBuffer word = ByteBuffer.allocate(BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(System.nanoTime() + VALID.toNanos())
                    .putInt(microseconds)
                    .putInt(full.isEmpty() ? 0 : 1)
                    .put(Arrays.copyOf(full.getBytes(StandardCharsets.US_ASCII), REASON_MAX - 1))
                    .put((byte) 0)
                    .flip();
            while (word.hasRemaining()) {
                channel.write(word, OFFSET + word.position());
            }
        }
    }
}
