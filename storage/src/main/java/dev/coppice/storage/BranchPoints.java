package dev.coppice.storage;

import dev.coppice.common.Lsn;
import dev.coppice.storage.wal.CommitTimes;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Turns "now", an LSN or a time into a branch point of one timeline or its ancestors. */
final class BranchPoints {
    private final Timeline timeline;
    private final @Nullable Timeline parent;
    private final long ancestorLsn;
    private final WalHistory wal;
    private final Retention retention;

    BranchPoints(Timeline timeline, @Nullable Timeline parent, long ancestorLsn, WalHistory wal, Retention retention) {
        this.timeline = timeline;
        this.parent = parent;
        this.ancestorLsn = ancestorLsn;
        this.wal = wal;
        this.retention = retention;
    }

    BranchPoint at(Lsn lsn) {
        if (parent != null
                && Long.compareUnsigned(lsn.value(), ancestorLsn) < 0
                && !oldestAlongChain().isAfter(lsn)) {
            return parent.at(lsn);
        }
        BranchPoint head = timeline.head();
        refuseOutside(lsn, head.lsn());
        if (lsn.equals(head.lsn())) {
            return head;
        }
        if (timeline.isCollected(lsn)) {
            // Pinned, so somebody begins there: there is nothing to round.
            return new BranchPoint(timeline.id(), lsn);
        }
        return new BranchPoint(
                timeline.id(), new Lsn(timeline.epochs().startable(wal.boundaryAtOrBefore(lsn.value()))));
    }

    BranchPoint at(Instant time) {
        BranchPoint head = timeline.head();
        BranchPoint point = pointBefore(time, head.lsn()).orElse(head);
        refuseCollected(point);
        return point;
    }

    /** The point after the last commit before the first one later than {@code time}; empty when none is later. */
    private Optional<BranchPoint> pointBefore(Instant time, Lsn limit) {
        // What it inherits was committed before it was created.
        if (parent != null && time.isBefore(timeline.createdAt())) {
            Optional<BranchPoint> inherited = parent.branchPoints().pointBefore(time, new Lsn(ancestorLsn));
            if (inherited.isPresent()) {
                return inherited;
            }
        }
        CommitTimes.Answer answer =
                wal.firstCommitAfter(time, limit.value(), timeline.horizon().value());
        return switch (answer) {
            case CommitTimes.Answer.NoneLater() ->
                parent == null && time.isBefore(timeline.createdAt()) ? Optional.of(beginning(time)) : Optional.empty();
            case CommitTimes.Answer.Before(long lastCommitEnd) ->
                Optional.of(
                        lastCommitEnd == 0
                                ? beginning(time)
                                : new BranchPoint(
                                        timeline.id(), new Lsn(timeline.epochs().startable(lastCommitEnd))));
        };
    }

    /** No own commit precedes the time: the timeline as it began, unless it had not begun. */
    private BranchPoint beginning(Instant time) {
        if (parent == null && time.isBefore(timeline.createdAt())) {
            throw new OutsideHistoryException(time + " is before the beginning of history, " + timeline.createdAt());
        }
        return new BranchPoint(timeline.id(), new Lsn(wal.oldest()));
    }

    /**
     * Whether an image as of {@code lsn} can be served.
     *
     * @throws OutsideHistoryException when not
     */
    void check(Lsn lsn) {
        if (parent != null && Long.compareUnsigned(lsn.value(), ancestorLsn) < 0) {
            parent.branchPoints().check(lsn);
        } else {
            refuseOutside(lsn, new Lsn(wal.end()));
        }
    }

    /**
     * Whether a point of this timeline or of an ancestor was collected.
     *
     * @throws OutsideHistoryException when so
     */
    void refuseCollected(Lsn lsn) {
        if (parent != null && Long.compareUnsigned(lsn.value(), ancestorLsn) < 0) {
            parent.branchPoints().refuseCollected(lsn);
        } else if (timeline.isCollected(lsn) && !retention.isPinned(timeline.id(), lsn)) {
            throw new OutsideHistoryException(
                    "LSN " + lsn + " is outside history, which reaches from " + reachesFrom() + " on");
        }
    }

    private void refuseCollected(BranchPoint point) {
        if (point.timeline().equals(timeline.id())) {
            refuseCollected(point.lsn());
        } else if (parent != null) {
            parent.branchPoints().refuseCollected(point);
        }
    }

    private void refuseOutside(Lsn lsn, Lsn end) {
        boolean before = timeline.horizon().isAfter(lsn) && !retention.isPinned(timeline.id(), lsn);
        if (before || lsn.isAfter(end)) {
            throw new OutsideHistoryException(
                    "LSN " + lsn + " is outside history, which reaches from " + reachesFrom() + " to " + end);
        }
    }

    private String reachesFrom() {
        if (parent != null && timeline.horizon().value() == ancestorLsn) {
            return parent.branchPoints().reachesFrom();
        }
        return timeline.horizon()
                + timeline.horizonTime().map(time -> " (" + time + ")").orElse("");
    }

    private Lsn oldestAlongChain() {
        return parent == null ? new Lsn(wal.oldest()) : parent.branchPoints().oldestAlongChain();
    }
}
