package dev.coppice.storage.journal;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.io.OpenFiles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a segment to find damage: every entry's checksums, and what lies between entries.
 *
 * <p>What a killed process leaves is the beginning of an entry and then nothing of it; what a machine that lost power leaves
 * can also be zeroes, which no synced entry follows. Neither was ever acknowledged. Anything else between two entries is
 * damage.
 */
public final class SegmentAudit {
    private static final long LARGEST =
            (long) EntryCodec.FIXED_SIZE + EntryCodec.MAX_PATH_LENGTH + EntryCodec.MAX_DATA_LENGTH;
    private static final int MAGIC_SIZE = 4;

    private final JournalSegment segment;
    private final List<Gap> gaps = new ArrayList<>();

    /** Those of the gaps that a lost write explains. */
    private final Set<Gap> zeroes = new HashSet<>();

    private long entries;
    private long expected;
    private @Nullable JournalEntry last;

    /**
     * Bytes that belong to no whole entry.
     *
     * @param torn whether a killed process explains them
     */
    public record Gap(long position, long length, boolean torn) {}

    /**
     * What was found.
     *
     * @param bytes read, from where the audit began
     * @param ended whether the segment ends with the fence that ends its epoch
     */
    public record Result(long entries, long bytes, boolean ended, List<Gap> gaps) {}

    private SegmentAudit(JournalSegment segment, long from) {
        this.segment = segment;
        this.expected = from;
    }

    /**
     * Reads the segment in {@code file}.
     *
     * @param from where an entry begins; 0 = the first one
     * @param newest whether a compute may be appending, so that a torn end may be an entry in the making
     * @param progress is told the bytes read now and then
     * @throws dev.coppice.storage.fault.StorageException when the header is not right
     */
    public static Result run(
            Path file, TimelineId timeline, OpenFiles files, long from, boolean newest, LongConsumer progress) {
        JournalSegment segment = JournalSegment.open(file, timeline, files);
        long start = Math.max(from, SegmentHeader.SIZE);
        return new SegmentAudit(segment, start).run(start, newest, progress);
    }

    private Result run(long start, boolean newest, LongConsumer progress) {
        SegmentScanner scanner = new SegmentScanner(segment, start);
        scanner.scan(!newest, entry -> {
            gapBefore(entry.position());
            expected = entry.position()
                    + EntryCodec.FIXED_SIZE
                    + entry.path().getBytes(StandardCharsets.UTF_8).length
                    + entry.dataLength();
            last = entry;
            entries++;
            if (entry.type() == EntryType.FENCE && entry.length() == 0) {
                // It was synced: everything before it is on the disk.
                gaps.replaceAll(gap -> zeroes.remove(gap) ? new Gap(gap.position(), gap.length(), false) : gap);
            }
            if (entries % 1024 == 0) {
                progress.accept(expected - start);
            }
        });
        gapBefore(scanner.position());
        progress.accept(scanner.position() - start);
        JournalEntry end = last;
        boolean ended = end != null && end.type() == EntryType.FENCE && end.length() != 0;
        return new Result(entries, scanner.position() - start, ended, List.copyOf(gaps));
    }

    private void gapBefore(long position) {
        if (position > expected) {
            Cause cause = cause(load(expected, position), segment.epoch());
            Gap gap = new Gap(expected, position - expected, cause != Cause.DAMAGE);
            gaps.add(gap);
            if (cause == Cause.NEVER_WRITTEN) {
                zeroes.add(gap);
            }
        }
    }

    /** Whether bytes between entries are beginnings of entries and nothing else: a killed process leaves that. */
    static boolean isTorn(ByteBuffer region, int epoch) {
        return cause(region, epoch) == Cause.TORN;
    }

    private enum Cause {
        TORN,
        NEVER_WRITTEN,
        DAMAGE
    }

    private ByteBuffer load(long from, long to) {
        ByteBuffer region =
                ByteBuffer.allocate((int) Math.min(to - from, LARGEST)).order(ByteOrder.LITTLE_ENDIAN);
        segment.read(from, region);
        return region.flip();
    }

    /** Beginnings of entries, perhaps zeroes behind them, or something else. */
    private static Cause cause(ByteBuffer region, int epoch) {
        int at = 0;
        while (at < region.limit()) {
            if (isZero(region, at)) {
                return Cause.NEVER_WRITTEN;
            }
            int next = nextBeginning(region, at + 1, epoch);
            if (!isBeginning(region, at, next, epoch)) {
                return Cause.DAMAGE;
            }
            at = next;
        }
        return Cause.TORN;
    }

    /** Whether the bytes are the beginning of an entry; the next one's may have been cut before its magic was whole. */
    private static boolean isBeginning(ByteBuffer region, int at, int end, int epoch) {
        for (int cut = 0; cut < MAGIC_SIZE && end - cut > at; cut++) {
            if (cut > 0 && !EntryCodec.isMagicBeginning(region, end - cut, cut)) {
                continue;
            }
            ByteBuffer piece = region.duplicate().order(ByteOrder.LITTLE_ENDIAN).limit(end - cut);
            boolean beginning = end - cut - at < MAGIC_SIZE || EntryCodec.hasMagic(piece, at);
            if (beginning && EntryCodec.check(piece, at, epoch) == EntryCodec.TRUNCATED) {
                return true;
            }
        }
        return false;
    }

    /** The next place at or after {@code from} that looks like the beginning of an entry, or the end. */
    private static int nextBeginning(ByteBuffer region, int from, int epoch) {
        for (int at = from; at + MAGIC_SIZE <= region.limit(); at++) {
            if (EntryCodec.hasMagic(region, at) && EntryCodec.check(region, at, epoch) != EntryCodec.BAD) {
                return at;
            }
        }
        return region.limit();
    }

    private static boolean isZero(ByteBuffer region, int from) {
        for (int at = from; at < region.limit(); at++) {
            if (region.get(at) != 0) {
                return false;
            }
        }
        return true;
    }
}
