package dev.coppice.storage.file;

import java.nio.ByteBuffer;

/** Receives the blocks of one read, in ascending order, on the reading thread. */
public interface PageConsumer {
    /** The block is all zero: never written, or beyond the end of the file. */
    void zero(long block);

    /**
     * The block's content.
     *
     * @param stamp the effective stamp of the version served, a WAL position compared unsigned
     * @param page 8,192 bytes remaining; valid during the call only
     */
    void page(long block, long stamp, ByteBuffer page);
}
