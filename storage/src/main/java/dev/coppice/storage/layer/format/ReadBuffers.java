package dev.coppice.storage.layer.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for one read: compressed bytes outside of the heap, as the kernel and the codecs want them, and a page. A fixed
 * number of them serves all threads, since allocating them for each read costs more than it does to decompress; who finds
 * none left gets one from the heap.
 */
public final class ReadBuffers implements AutoCloseable {
    /** The most compressed bytes read at once. */
    public static final int SPAN_BYTES = 512 << 10;

    private static final int KEPT = 16;
    private static final AtomicReferenceArray<@Nullable ReadBuffers> IDLE = new AtomicReferenceArray<>(KEPT);
    private static final AtomicInteger MADE = new AtomicInteger();

    private final ByteBuffer span;
    private final byte[] page = new byte[LayerFormat.BLOCK_SIZE];

    private ReadBuffers(ByteBuffer span) {
        this.span = span.order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * For this thread until it closes them.
     *
     * @param length the most compressed bytes that will be wanted, at most {@link #SPAN_BYTES}
     */
    public static ReadBuffers take(int length) {
        int start = slot();
        for (int i = 0; i < KEPT; i++) {
            int slot = (start + i) & (KEPT - 1);
            ReadBuffers idle = IDLE.get(slot);
            if (idle != null && IDLE.compareAndSet(slot, idle, null)) {
                return idle;
            }
        }
        if (MADE.get() < KEPT && MADE.incrementAndGet() <= KEPT) {
            return new ReadBuffers(ByteBuffer.allocateDirect(SPAN_BYTES));
        }
        return new ReadBuffers(ByteBuffer.allocate(length));
    }

    private static int slot() {
        return (int) Thread.currentThread().threadId() & (KEPT - 1);
    }

    /** Empty, with room for {@code length} bytes. */
    public ByteBuffer span(int length) {
        return span.clear().limit(length);
    }

    public byte[] page() {
        return page;
    }

    @Override
    public void close() {
        int start = slot();
        for (int i = 0; span.isDirect() && i < KEPT; i++) {
            if (IDLE.compareAndSet((start + i) & (KEPT - 1), null, this)) {
                return;
            }
        }
    }
}
