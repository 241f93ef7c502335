package dev.coppice.storage.file;

import java.util.List;
import java.util.Optional;

/**
 * The files of a timeline as of an LSN, its ancestors' included. Paths are relative to the data directory, {@code ""} for itself. LSNs are
 * unsigned and not checked against what is retained; the greatest long is the head as far as it is indexed. Thread-safe.
 */
public interface TimelineFiles {
    /** A block, in bytes. */
    int BLOCK_SIZE = 8192;

    /** The head, as far as the journal is indexed. */
    long HEAD = -1L;

    /** What is at a path. */
    FileStatus stat(String path, long lsn);

    /**
     * Delivers blocks {@code firstBlock .. firstBlock + count - 1}; those beyond the end are zero.
     *
     * @return false, and nothing delivered, when there is no such file
     */
    boolean readPages(String path, long firstBlock, int count, long lsn, PageConsumer consumer);

    /** The whole content; empty when there is no such file. */
    Optional<byte[]> readFile(String path, long lsn);

    /** The names in a directory, in ascending order; empty when it is not there. */
    Optional<List<DirectoryEntry>> list(String path, long lsn);

    /** Every directory but {@code ""}, in ascending order. */
    List<String> directories(long lsn);
}
