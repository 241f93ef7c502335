package dev.coppice.storage.index;

import dev.coppice.storage.journal.DamagedEntry;
import dev.coppice.storage.journal.JournalEntry;
import dev.coppice.storage.journal.JournalSegment;
import org.jspecify.annotations.Nullable;

/**
 * What an entry of the journal held that was durable and is lost. Whoever reads it gets an error, until something newer is there
 * in its place; the journal's own bytes may be long gone.
 *
 * @param path of the file or directory; empty = it cannot be told, so it is everything
 * @param firstBlock the first block that is lost
 * @param endBlock behind the last one; {@link #WHOLE} = the file with its size, or the directory
 * @param sequence the entry's place in the journal; what has a higher one is newer
 * @param from points below this LSN are not touched; unsigned
 * @param pastOnly whether only points in the past are touched, not the head
 * @param what where it was found, for people
 */
public record Damage(
        String path, long firstBlock, long endBlock, long sequence, long from, boolean pastOnly, String what) {
    /** Of {@link #endBlock}: not only blocks. */
    public static final long WHOLE = Long.MAX_VALUE;

    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    static Damage of(JournalSegment segment, DamagedEntry damaged) {
        JournalEntry entry = damaged.entry();
        long sequence = TimelineIndex.sequence(segment.epoch(), damaged.position());
        String what = "the journal's entry at byte " + damaged.position() + " of epoch " + segment.epoch()
                + (entry == null
                        ? " (" + damaged.length() + " bytes, of what cannot be told)"
                        : " (" + entry.type() + (entry.path().isEmpty() ? "" : " of " + entry.path()) + ")")
                + " was durable and is damaged";
        if (entry == null) {
            return new Damage("", 0, WHOLE, sequence, segment.startMark(), false, what);
        }
        long first = entry.offset() / BLOCK;
        return switch (entry.type()) {
            case PAGE -> new Damage(entry.path(), first, first + 1, sequence, segment.startMark(), false, what);
            case ZERO ->
                new Damage(
                        entry.path(),
                        first,
                        first + entry.length() / BLOCK,
                        sequence,
                        segment.startMark(),
                        false,
                        what);
            // It says which points have what; the newest versions are known without it.
            case FENCE -> new Damage("", 0, WHOLE, sequence, segment.startMark(), true, what);
            default -> new Damage(entry.path(), 0, WHOLE, sequence, segment.startMark(), false, what);
        };
    }

    /** Whether a read of a path as of an LSN may meet it; {@link TimelineIndex#HEAD} = the head. */
    public boolean concerns(String readPath, long lsn) {
        boolean visible = lsn == TimelineIndex.HEAD ? !pastOnly : Long.compareUnsigned(lsn, from) >= 0;
        return visible && (path.isEmpty() || path.equals(readPath));
    }

    /** Whether it is one of a name in a directory, so that a list of names may be wrong. */
    public boolean concernsNamesIn(String directory, long lsn) {
        int slash = path.lastIndexOf('/');
        return isWhole()
                && concerns(path, lsn)
                && (path.isEmpty() || directory.equals(slash < 0 ? "" : path.substring(0, slash)));
    }

    /** Whether more than blocks is lost. */
    public boolean isWhole() {
        return endBlock == WHOLE;
    }

    /** Whether a block is lost. */
    public boolean has(long block) {
        return block >= firstBlock && block < endBlock;
    }

    /** The error for whoever reads it. */
    public String refusal(@Nullable Long block) {
        return what + (block == null ? "" : ": block " + block + " is lost") + ". A point below LSN "
                + new dev.coppice.common.Lsn(from) + ", or a backup, has what is not touched by it";
    }
}
