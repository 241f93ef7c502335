package dev.coppice.storage.index;

/** What can happen to a path. The codes are part of the layer format: never change or reuse one. */
public enum FileEventKind {
    /** The file exists, empty, whatever was there before: a cut. */
    CREATE(0),
    /** The file does not exist: a cut. */
    UNLINK(1),
    /** The file has this size and the blocks of the same sequence, whatever was there before: a cut. */
    PUT(2),
    /** The file has this size, and blocks at or beyond it are gone: a cut. */
    TRUNCATE(3),
    /** The file is at least of this size. */
    GROWTH(4),
    /** The directory exists. */
    MKDIR(5),
    /** The directory does not exist. */
    RMDIR(6);

    private static final FileEventKind[] ALL = values();

    private final int code;

    FileEventKind(int code) {
        this.code = code;
    }

    /** The number in a layer. */
    public int code() {
        return code;
    }

    /** Whether it says how a file is whatever was before. */
    public boolean isCut() {
        return code < GROWTH.code;
    }

    /** Whether it is about a directory. */
    public boolean isOfDirectory() {
        return code > GROWTH.code;
    }

    /** The kind with a code, or null. */
    public static @org.jspecify.annotations.Nullable FileEventKind ofCode(int code) {
        return code >= 0 && code < ALL.length ? ALL[code] : null;
    }
}
