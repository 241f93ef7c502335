package dev.coppice.storage.file;

/** What is at a path. */
public enum FileKind {
    ABSENT,
    FILE,
    DIRECTORY
}
