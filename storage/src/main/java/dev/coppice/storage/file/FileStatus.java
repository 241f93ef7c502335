package dev.coppice.storage.file;

/**
 * What is at a path as of some LSN.
 *
 * @param size in bytes; 0 unless a file
 */
public record FileStatus(FileKind kind, long size) {
    /** Nothing is there. */
    public static final FileStatus ABSENT = new FileStatus(FileKind.ABSENT, 0);

    /** A directory. */
    public static final FileStatus DIRECTORY = new FileStatus(FileKind.DIRECTORY, 0);

    /** A file of {@code size} bytes. */
    public static FileStatus file(long size) {
        return new FileStatus(FileKind.FILE, size);
    }
}
