package dev.coppice.storage.journal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds in a segment what was durable and is not whole: neither a killed process nor a power cut explains that. What proves that the
 * entries before a place were durable:
 *
 * <ul>
 *   <li>the fence of an epoch that ended whole: all was read and synced before it was written;
 *   <li>a fence that another one follows: the first was synced before the server went on;
 *   <li>a {@code pg_control} that another one follows: Postgres syncs it, and with it the journal, each time.
 * </ul>
 *
 * <p>And when another epoch has begun, the fence that ended this one was there.
 */
public final class SegmentDamage {
    private static final String CONTROL_FILE = "global/pg_control";

    /** The most damaged entries that are told apart; with more it is everything from the first one on. */
    private static final int MOST = 1_000;

    private static final int LARGEST = EntryCodec.FIXED_SIZE + EntryCodec.MAX_PATH_LENGTH + EntryCodec.MAX_DATA_LENGTH;

    private final JournalSegment segment;
    private final List<Gap> gaps = new ArrayList<>();
    private long expected;
    private long lastFence;
    private long lastControl;

    /** Everything that begins before this byte was durable. */
    private long durable;

    private record Gap(long from, long to) {}

    /** Whether the last entry says that the epoch ended. */
    private boolean ended;

    private SegmentDamage(JournalSegment segment, long from) {
        this.segment = segment;
        this.expected = Math.max(from, SegmentHeader.SIZE);
    }

    /**
     * What of a segment is damaged, in the order of the file.
     *
     * @param from where an entry begins; 0 = the first one
     * @param closed whether another epoch has begun: only behind the fence that ended this one
     */
    public static List<DamagedEntry> find(JournalSegment segment, long from, boolean closed) {
        return new SegmentDamage(segment, from).run(closed);
    }

    private List<DamagedEntry> run(boolean closed) {
        SegmentScanner scanner = new SegmentScanner(segment, expected);
        scanner.scan(true, this::meet);
        if (scanner.position() > expected) {
            gaps.add(new Gap(expected, scanner.position()));
        }
        List<DamagedEntry> damaged = new ArrayList<>();
        for (Gap gap : gaps) {
            if (gap.from() < durable) {
                examine(gap, damaged);
            } else if (closed && !ended && gap.equals(gaps.getLast()) && gap.to() == scanner.position()) {
                // Here the fence stood that ended the epoch, and perhaps more.
                name(gap, damaged);
            }
        }
        if (closed && !ended && damaged.isEmpty()) {
            damaged.add(new DamagedEntry(scanner.position(), 0, null));
        }
        return damaged.size() <= MOST ? damaged : List.of(allFrom(damaged.getFirst(), scanner.position()));
    }

    private void meet(JournalEntry entry) {
        if (entry.position() > expected) {
            gaps.add(new Gap(expected, entry.position()));
        }
        expected = entry.position() + size(entry);
        ended = entry.type() == EntryType.FENCE && entry.length() != 0;
        if (entry.type() == EntryType.FENCE) {
            durable = Math.max(durable, entry.length() == JournalSegment.ENDED_WHOLE ? entry.position() : lastFence);
            if (entry.length() == 0) {
                lastFence = entry.position();
            }
        } else if (entry.path().equals(CONTROL_FILE)) {
            durable = Math.max(durable, lastControl);
            lastControl = entry.position();
        }
    }

    private static DamagedEntry allFrom(DamagedEntry first, long end) {
        return new DamagedEntry(first.position(), end - first.position(), null);
    }

    private void examine(Gap gap, List<DamagedEntry> damaged) {
        if (!SegmentAudit.isTorn(load(gap), segment.epoch())) {
            name(gap, damaged);
        }
    }

    private ByteBuffer load(Gap gap) {
        long length = gap.to() - gap.from();
        ByteBuffer region = ByteBuffer.allocate((int) Math.min(length, LARGEST)).order(ByteOrder.LITTLE_ENDIAN);
        segment.read(gap.from(), region);
        return region.flip();
    }

    /** Says what stood in a gap, entry by entry as far as it can be told. */
    private void name(Gap gap, List<DamagedEntry> damaged) {
        ByteBuffer region = load(gap);
        long at = gap.from();
        while (at < gap.to() && damaged.size() <= MOST) {
            JournalEntry entry = entryAt(region, (int) (at - gap.from()), at, gap.to());
            if (entry == null) {
                damaged.add(new DamagedEntry(at, gap.to() - at, null));
                return;
            }
            damaged.add(new DamagedEntry(at, size(entry), entry));
            at += size(entry);
        }
    }

    private @Nullable JournalEntry entryAt(ByteBuffer region, int at, long position, long end) {
        if (at >= region.limit()) {
            return null;
        }
        JournalEntry entry = EntryCodec.identify(region, at, segment.epoch(), position);
        return entry == null || position + size(entry) > end ? null : entry;
    }

    private static long size(JournalEntry entry) {
        return EntryCodec.FIXED_SIZE + entry.path().getBytes(StandardCharsets.UTF_8).length + (long) entry.dataLength();
    }
}
