package dev.coppice.storage.journal;

/**
 * One entry, without its data.
 *
 * @param position of its first byte in the segment
 * @param dataLength bytes of data that follow the path in the file
 * @param stamp raw, as written; a WAL position compared unsigned
 * @param offset see the type's row in the protocol
 * @param length see the type's row in the protocol
 */
public record JournalEntry(
        EntryType type, String path, long position, int dataLength, long stamp, long offset, long length) {}
