package dev.coppice.storage.layer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Buffers for one read: compressed bytes outside of the heap, as the kernel and the codecs want them, and a page. A few are
 * kept for all threads, since allocating them for each read costs more than it does to decompress.
 */
final class ReadBuffers implements AutoCloseable {
    /** The most compressed bytes read at once. */
    static final int SPAN_BYTES = 512 << 10;

    private static final int KEPT = 16;
    private static final AtomicReferenceArray<ReadBuffers> IDLE = new AtomicReferenceArray<>(KEPT);

    private final ByteBuffer span = ByteBuffer.allocateDirect(SPAN_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] page = new byte[LayerFormat.BLOCK_SIZE];

    private ReadBuffers() {}

    /** For this thread until it closes them. */
    static ReadBuffers take() {
        ReadBuffers idle = IDLE.getAndSet(slot(), null);
        return idle == null ? new ReadBuffers() : idle;
    }

    private static int slot() {
        return (int) Thread.currentThread().threadId() & (KEPT - 1);
    }

    /** Empty, with room for {@code length} bytes. */
    ByteBuffer span(int length) {
        return span.clear().limit(length);
    }

    byte[] page() {
        return page;
    }

    @Override
    public void close() {
        IDLE.set(slot(), this);
    }
}
