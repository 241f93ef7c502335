package dev.coppice.storage.index;

/** Which entries an LSN sees. */
interface Visibility {
    /** Whether every entry is visible. */
    boolean isHead();

    /** Whether the entry is visible, by its place and its raw stamp. */
    boolean sees(long ref, long rawStamp);
}
