package dev.coppice.storage.wal;

import dev.coppice.storage.io.FileFacts;
import dev.coppice.storage.io.UntrustedDirectory;
import dev.coppice.storage.io.UntrustedFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The zeroes behind the last record of a segment: disk space that Postgres took ahead, of a timeline on which nothing runs any more. They
 * become a hole, so the segment keeps its size and its bytes.
 */
public final class UnwrittenWal {
    private static final Logger log = LoggerFactory.getLogger(UnwrittenWal.class);
    private static final int PIECE = 1 << 16;

    /** No WAL segment is longer. */
    private static final long SEGMENT_MAX = 1 << 30;

    private UnwrittenWal() {}

    /**
     * Gives it back to the file system.
     *
     * @param directory of segments that nobody writes; a compute's
     */
    public static void release(Path directory) throws IOException {
        try (UntrustedDirectory wal = UntrustedDirectory.open(directory)) {
            for (String segment : wal.list(WalArchive::isSegment)) {
                try {
                    release(wal, segment);
                } catch (UntrustedFileException e) {
                    log.warn("Left alone: {}", e.getMessage());
                }
            }
        }
    }

    private static void release(UntrustedDirectory wal, String segment) throws IOException {
        FileFacts facts = wal.look(segment).orElse(null);
        if (facts == null || facts.size() > SEGMENT_MAX) {
            return;
        }
        long written = written(wal, segment, facts.size());
        if (facts.size() - written >= PIECE) {
            boolean done = wal.punchHole(segment, written, facts.size() - written);
            log.debug("Gave back what was not written of {}: {}", segment, done);
        }
    }

    /** Where the last byte that is not zero ends, or up to a piece later. */
    private static long written(UntrustedDirectory wal, String segment, long size) throws IOException {
        byte[] zeroes = new byte[PIECE];
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        try (FileChannel file = wal.read(segment)) {
            long end = size;
            while (end > 0) {
                int length = (int) Math.min(PIECE, end);
                piece.clear().limit(length);
                while (piece.hasRemaining()) {
                    if (file.read(piece, end - length + piece.position()) < 0) {
                        throw new IOException(segment + " was cut while it was read");
                    }
                }
                if (!Arrays.equals(piece.array(), 0, length, zeroes, 0, length)) {
                    return end;
                }
                end -= length;
            }
            return 0;
        }
    }
}
