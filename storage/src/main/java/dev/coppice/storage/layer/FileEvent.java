package dev.coppice.storage.layer;

import dev.coppice.storage.index.FileEventKind;

/**
 * One thing that happened to a path.
 *
 * @param stamp effective; unsigned
 * @param sequence its place in the timeline's journal; unsigned
 * @param size in bytes, of PUT, TRUNCATE and GROWTH; else 0
 */
public record FileEvent(FileEventKind kind, long stamp, long sequence, long size) {}
