package dev.coppice.storage.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Direct buffers for reading spans of a file: a read into the heap is copied once more on the way, and a fresh array is
 * cleared first. At most {@value #KEPT} wait here for the next reader; thread-safe.
 */
public final class SpanBuffers {
    private static final int KEPT = 8;

    private final int size;
    private final ArrayBlockingQueue<ByteBuffer> free = new ArrayBlockingQueue<>(KEPT);

    /** @param size of each, in bytes */
    public SpanBuffers(int size) {
        this.size = size;
    }

    /** An empty little-endian buffer; hand it back with {@link #release}, and keep no slice of it. */
    public ByteBuffer borrow() {
        @Nullable ByteBuffer buffer = free.poll();
        return buffer == null ? ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN) : buffer.clear();
    }

    /** Takes a buffer back; one too many is left to the garbage collector. */
    public void release(ByteBuffer buffer) {
        boolean _ = free.offer(buffer);
    }
}
