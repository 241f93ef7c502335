package dev.coppice.storage.layout;

import java.nio.file.Path;

/**
 * Where the files of one timeline lie. What of it a compute can change is said in {@code docs/security.md}; the rest is this process's
 * alone.
 *
 * @param directory everything of the timeline lies in it
 */
public record TimelineLayout(Path directory) {
    /** The compute's {@code pg_wal}; there from the first epoch on. */
    public Path wal() {
        return directory.resolve("wal");
    }

    /** To where the compute renames WAL segments that it is done with; there from the first epoch on. */
    public Path finishedWal() {
        return directory.resolve("wal-finished");
    }

    /** Where they go then, and no compute comes; there from the first epoch on. */
    public Path walArchive() {
        return directory.resolve("wal-archive");
    }

    /** The journal's segments. */
    public Path journal() {
        return directory.resolve("journal");
    }

    /** Layers and manifests. */
    public Path layers() {
        return directory.resolve("layers");
    }

    /** The compute's own files: a cache. */
    public Path local() {
        return directory.resolve("local");
    }

    /** The file whose open-file-description lock every process of the compute holds; there from the first epoch on. */
    public Path writerLock() {
        return directory.resolve("writer.lock");
    }
}
