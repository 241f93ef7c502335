package dev.coppice.storage.index;

/**
 * A stretch of the journal that is to become a layer.
 *
 * @param index never changes any more
 * @param end where the stretch ends
 */
public record FrozenIndex(TimelineIndex index, JournalPosition end) {}
