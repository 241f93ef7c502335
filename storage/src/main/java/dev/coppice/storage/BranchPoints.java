package dev.coppice.storage;

import dev.coppice.common.Lsn;
import dev.coppice.storage.wal.CommitTimes;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
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
        return (oldestAlongChain().isAfter(lsn) ? this : owner(lsn)).atOwn(lsn);
    }

    /** Of this timeline or the ancestor whose own history has the point. Not recursive: a chain can be longer than a stack. */
    private BranchPoints owner(Lsn lsn) {
        BranchPoints at = this;
        for (Timeline above = parent; above != null && Lsn.isBefore(lsn.value(), at.ancestorLsn); above = at.parent) {
            at = above.branchPoints();
        }
        return at;
    }

    private BranchPoint atOwn(Lsn lsn) {
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

    /** A timeline of the chain, and up to where its history counts. */
    private record Part(BranchPoints points, Lsn limit) {}

    /** The point after the last commit before the first one later than {@code time}; empty when none is later. */
    private Optional<BranchPoint> pointBefore(Instant time, Lsn end) {
        // What a timeline inherits was committed before it was created.
        Deque<Part> parts = new ArrayDeque<>(List.of(new Part(this, end)));
        BranchPoints at = this;
        for (Timeline above = parent; above != null && time.isBefore(at.timeline.createdAt()); above = at.parent) {
            Lsn limit = new Lsn(at.ancestorLsn);
            at = above.branchPoints();
            parts.push(new Part(at, limit));
        }
        return parts.stream()
                .flatMap(part -> part.points.ownPointBefore(time, part.limit).stream())
                .findFirst();
    }

    private Optional<BranchPoint> ownPointBefore(Instant time, Lsn limit) {
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
        BranchPoints owner = owner(lsn);
        owner.refuseOutside(lsn, new Lsn(owner.wal.end()));
    }

    /**
     * Whether a point of this timeline or of an ancestor was collected.
     *
     * @throws OutsideHistoryException when so
     */
    void refuseCollected(Lsn lsn) {
        owner(lsn).refuseCollectedHere(lsn);
    }

    private void refuseCollectedHere(Lsn lsn) {
        if (timeline.isCollected(lsn) && !retention.isPinned(timeline.id(), lsn)) {
            throw new OutsideHistoryException(
                    "LSN " + lsn + " is outside history, which reaches from " + reachesFrom() + " on");
        }
    }

    private void refuseCollected(BranchPoint point) {
        BranchPoints at = this;
        while (!point.timeline().equals(at.timeline.id()) && at.parent != null) {
            at = at.parent.branchPoints();
        }
        if (point.timeline().equals(at.timeline.id())) {
            at.refuseCollected(point.lsn());
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
        BranchPoints at = this;
        while (at.parent != null && at.timeline.horizon().value() == at.ancestorLsn) {
            at = at.parent.branchPoints();
        }
        return at.timeline.horizon()
                + at.timeline.horizonTime().map(time -> " (" + time + ")").orElse("");
    }

    private Lsn oldestAlongChain() {
        BranchPoints at = this;
        while (at.parent != null) {
            at = at.parent.branchPoints();
        }
        return new Lsn(at.wal.oldest());
    }
}
