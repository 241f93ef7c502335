package dev.coppice.storage.wal;

import java.nio.ByteBuffer;

/** WAL to read, by position, compared unsigned. Thread-safe. */
public interface WalSource {
    /** A segment, in bytes; the same along the chain. */
    int segmentSize();

    /**
     * Reads until {@code target} is full, or the bytes are not there.
     *
     * @return the bytes read
     */
    int read(long lsn, ByteBuffer target);
}
