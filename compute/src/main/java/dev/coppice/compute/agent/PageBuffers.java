package dev.coppice.compute.agent;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for answers with pages. A scan asks for a megabyte at a time and an idle connection for nothing, so connections
 * borrow; at most {@value #KEPT} wait here for the next one.
 */
final class PageBuffers {
    private static final int KEPT = 16;

    private final ArrayBlockingQueue<ByteBuffer> free = new ArrayBlockingQueue<>(KEPT);

    /** An empty buffer of {@link Protocol#PAGES_ANSWER_MAX} bytes; hand it back with {@link #release}. */
    ByteBuffer borrow() {
        @Nullable ByteBuffer buffer = free.poll();
        return buffer == null
                ? ByteBuffer.allocateDirect(Protocol.PAGES_ANSWER_MAX).order(ByteOrder.LITTLE_ENDIAN)
                : buffer.clear();
    }

    void release(ByteBuffer buffer) {
        // A buffer too many is left to the garbage collector.
        boolean _ = free.offer(buffer);
    }
}
