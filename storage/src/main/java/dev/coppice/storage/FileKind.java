package dev.coppice.storage;

/** What is at a path. */
public enum FileKind {
    ABSENT,
    FILE,
    DIRECTORY
}
