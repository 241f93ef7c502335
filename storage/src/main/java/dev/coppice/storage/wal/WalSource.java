package dev.coppice.storage.wal;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

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

    /** A local file that holds the whole segment of {@code lsn} with nothing copied in it, if any timeline has one. */
    Optional<Path> wholeSegment(long lsn);
}
