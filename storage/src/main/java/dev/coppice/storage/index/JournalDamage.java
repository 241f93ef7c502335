package dev.coppice.storage.index;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.journal.DamagedEntry;
import dev.coppice.storage.journal.JournalSegment;
import dev.coppice.storage.journal.SegmentDamage;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What of a journal's segments is known to be damaged, and which of them have to be looked at. For one thread at a time. */
final class JournalDamage {
    private static final Logger LOG = LoggerFactory.getLogger(JournalDamage.class);

    private final TimelineId timeline;

    /** By epoch. */
    private final Map<Integer, List<DamagedEntry>> damaged = new HashMap<>();

    /** Segments with bytes that are no entries. */
    private final Set<JournalSegment> suspicious = new LinkedHashSet<>();

    JournalDamage(TimelineId timeline) {
        this.timeline = timeline;
    }

    /** What is known of a segment; in the order of the file. */
    List<DamagedEntry> of(JournalSegment segment) {
        return damaged.getOrDefault(segment.epoch(), List.of());
    }

    /** Bytes of a segment were no entries: {@link #find} is to say why. */
    void suspect(JournalSegment segment) {
        suspicious.add(segment);
    }

    /** Whether {@link #find} has something to look at. */
    boolean isSuspicious() {
        return !suspicious.isEmpty();
    }

    /** Nothing is suspicious any more; what is known stays known. */
    void forget() {
        suspicious.clear();
    }

    /**
     * Looks at what is suspicious.
     *
     * @param flushed entries before it are in layers, and their space may be free
     * @param newest the newest epoch
     * @return whether more is known now of what was durable and is damaged: the segments have to be read again
     */
    boolean find(JournalPosition flushed, int newest) {
        boolean found = false;
        for (JournalSegment segment : suspicious) {
            long from = segment.epoch() == flushed.epoch() ? flushed.offset() : 0;
            List<DamagedEntry> now = SegmentDamage.find(segment, from, segment.epoch() < newest);
            if (!now.isEmpty() && !now.equals(damaged.put(segment.epoch(), now))) {
                found = true;
                now.forEach(entry -> LOG.error(
                        "timeline {}: {}", timeline, Damage.of(segment, entry).refusal(null)));
            }
        }
        suspicious.clear();
        return found;
    }
}
