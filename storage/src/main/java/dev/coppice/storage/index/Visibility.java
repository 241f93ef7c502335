package dev.coppice.storage.index;

/** Which entries an LSN sees. */
public interface Visibility {
    /** Whether every entry is visible. */
    boolean isHead();

    /** Whether the entry is visible, by its place (an {@link EntryRef} or a sequence) and the stamp it was added with. */
    boolean sees(long place, long stamp);
}
