package dev.coppice.storage.journal;

import org.jspecify.annotations.Nullable;

/**
 * Bytes of a segment that were durable once and are no whole entry now.
 *
 * @param entry what stood there, without its data; null when that cannot be told
 */
public record DamagedEntry(
        long position, long length, @Nullable JournalEntry entry) {}
