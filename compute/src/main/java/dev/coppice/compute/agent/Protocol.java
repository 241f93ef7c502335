package dev.coppice.compute.agent;

/** Numbers of {@code docs/page-protocol.md}, section 5. All integers on the wire are little-endian. */
final class Protocol {
    static final int VERSION = 2;

    static final int BLOCK_SIZE = 8192;

    /** The length before every message. */
    static final int LENGTH_SIZE = 4;

    /** op, 0, path_len, count, first. */
    static final int REQUEST_HEADER_SIZE = 16;

    /** Paths come from Postgres, which has none longer than MAXPGPATH, 1024. */
    static final int PATH_MAX = 1024;

    static final int PAGES_MAX = 128;

    static final int REQUEST_MAX = REQUEST_HEADER_SIZE + PATH_MAX + PAGES_MAX * Integer.BYTES;

    /** The most bytes of a file in one answer. */
    static final int FILE_PIECE_MAX = PAGES_MAX * BLOCK_SIZE;

    /** The longest answer with pages, with its length: STAT has kind and size in front of them. */
    static final int PAGES_ANSWER_MAX = 16 + LENGTH_SIZE + 1 + PAGES_MAX + PAGES_MAX * BLOCK_SIZE;

    static final byte OP_HELLO = 1;
    static final byte OP_STAT = 2;
    static final byte OP_READ_PAGES = 3;
    static final byte OP_READ_FILE = 4;
    static final byte OP_LIST = 5;
    static final byte OP_SHARE = 6;
    static final byte OP_READ_SHARED = 7;
    static final byte OP_READ_BLOCKS = 8;

    static final byte STATUS_OK = 0;
    static final byte STATUS_REFUSED = 1;

    static final byte KIND_ABSENT = 0;
    static final byte KIND_FILE = 1;
    static final byte KIND_DIRECTORY = 2;

    static final byte PAGE_ZERO = 0;
    static final byte PAGE_DATA = 1;

    private Protocol() {}
}
