package dev.coppice.storage.journal;

/** What an entry does; the code is the byte in the file. */
public enum EntryType {
    PAGE(1),
    ZERO(2),
    TRUNCATE(3),
    CREATE(4),
    UNLINK(5),
    MKDIR(6),
    RMDIR(7),
    PUT(8),
    FENCE(9),
    EXTEND(10);

    private static final EntryType[] ALL = values();

    private final int code;

    EntryType(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static boolean isCode(int code) {
        return code >= 1 && code <= ALL.length;
    }

    /** Codes are dense from 1 in declaration order. */
    static EntryType of(int code) {
        return ALL[code - 1];
    }
}
