package dev.coppice.storage.wal;

/**
 * Disk space that a timeline's own WAL takes, in allocated bytes. A segment that a branch shares with its ancestor by
 * hard link is counted with the ancestor only, as long as both have it.
 *
 * @param live in the compute's {@code pg_wal}
 * @param archived segments as Postgres left them
 * @param compressed compressed segments
 */
public record WalSize(long live, long archived, long compressed) {
    /** What the archive takes. */
    public long archive() {
        return archived + compressed;
    }
}
