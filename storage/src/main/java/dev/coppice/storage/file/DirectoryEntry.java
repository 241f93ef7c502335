package dev.coppice.storage.file;

/**
 * One name in a directory.
 *
 * @param name without any {@code /}
 * @param kind {@link FileKind#FILE} or {@link FileKind#DIRECTORY}
 */
public record DirectoryEntry(String name, FileKind kind) {}
