package dev.coppice.storage.wal;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * The WAL of one timeline, by position along the chain: below the ancestor LSN it is the parent's, from there on its own.
 * Positions are compared unsigned. Thread-safe.
 *
 * <p>The seam to where WAL is kept: a local directory today, a quorum log later.
 */
public interface WalStore extends WalSource {
    /** Makes this timeline's own segments from {@code from} up to {@code to} durable. */
    void sync(long from, long to);

    /** Overwrites this timeline's own WAL between two positions with zeroes, durably. */
    void erase(long from, long to);

    /** Takes over the segments that the compute is done with; they cannot be changed from then on. */
    void collectFinished();

    /**
     * Compresses archived segments that are no longer written to. Safe against a crash at any moment and while others
     * read.
     *
     * @param notWrittenSince only segments whose last change is older: the newest ones are those that branches start from
     * @param most segments in this call, oldest first, so that a background thread can pause between calls
     * @return what was done; nothing left to do when {@code segments} is below {@code most}
     */
    Compression compressCold(Instant notWrittenSince, int most);

    /**
     * Deletes archived segments that no needed range touches, and those of ancestors that this timeline archived a second
     * time. The compute's own {@code pg_wal} is Postgres's and is left alone.
     *
     * @return bytes given back to the file system
     */
    long deleteOutside(List<LsnRange> needed);

    /**
     * Reads every archived segment of this timeline.
     *
     * @return what is wrong, by file relative to the timeline's directory
     */
    Map<String, String> damagedSegments();

    /** What the timeline's own segments take. */
    WalSize size();

    /**
     * What {@link #compressCold} did.
     *
     * @param segments how many were compressed
     * @param bytesBefore their size before, in bytes
     * @param bytesAfter and after
     */
    record Compression(int segments, long bytesBefore, long bytesAfter) {}
}
