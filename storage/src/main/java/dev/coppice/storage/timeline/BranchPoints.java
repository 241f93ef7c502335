package dev.coppice.storage.timeline;

import dev.coppice.common.Lsn;
import dev.coppice.storage.fault.OutsideHistoryException;
import dev.coppice.storage.history.Retention;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.layout.BranchPoint;
import dev.coppice.storage.layout.TimelineMetadata;
import dev.coppice.storage.read.WalHistory;
import dev.coppice.storage.wal.CommitTimes;
import dev.coppice.storage.wal.Moment;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Turns "now", an LSN or a time into a branch point of one timeline or its ancestors. */
public final class BranchPoints {
    private final TimelineMetadata metadata;
    private final @Nullable BranchPoints parent;
    private final long ancestorLsn;
    private final TimelineHistory history;
    private final WalHistory wal;
    private final Epochs epochs;
    private final Retention retention;

    /** @param parent of the timeline that can be branched instead below the ancestor LSN; null when none can */
    public BranchPoints(
            TimelineMetadata metadata,
            @Nullable BranchPoints parent,
            TimelineHistory history,
            WalHistory wal,
            Epochs epochs,
            Retention retention) {
        BranchPoint ancestor = metadata.ancestor();
        this.metadata = metadata;
        this.parent = parent;
        this.ancestorLsn = ancestor == null ? 0 : ancestor.lsn().value();
        this.history = history;
        this.wal = wal;
        this.epochs = epochs;
        this.retention = retention;
    }

    /** The branch point at the head; everything acknowledged before the call is in it. */
    public BranchPoint head() {
        return new BranchPoint(metadata.id(), epochs.fence());
    }

    /** From where on every point of the timeline's own history is readable. */
    public Lsn horizon() {
        return new Lsn(wal.horizon());
    }

    /** The time to which history certainly reaches back; empty when nothing was collected yet. */
    public Optional<Instant> horizonTime() {
        return history.storedHorizon().equals(Lsn.ZERO)
                ? Optional.empty()
                : history.moments().atOrAfter(horizon()).map(Moment::time);
    }

    /** Whether an own point lies where history may have been collected; pins apart. */
    private boolean isCollected(Lsn lsn) {
        return Long.compareUnsigned(lsn.value(), history.horizon()) < 0;
    }

    public BranchPoint at(Lsn lsn) {
        return (oldestAlongChain().isAfter(lsn) ? this : owner(lsn)).atOwn(lsn);
    }

    /** Of this timeline or the ancestor whose own history has the point. Not recursive: a chain can be longer than a stack. */
    private BranchPoints owner(Lsn lsn) {
        BranchPoints at = this;
        for (BranchPoints above = parent;
                above != null && Lsn.isBefore(lsn.value(), at.ancestorLsn);
                above = at.parent) {
            at = above;
        }
        return at;
    }

    private BranchPoint atOwn(Lsn lsn) {
        BranchPoint head = head();
        refuseOutside(lsn, head.lsn());
        if (lsn.equals(head.lsn())) {
            return head;
        }
        if (isCollected(lsn)) {
            // Pinned, so somebody begins there: there is nothing to round.
            return new BranchPoint(metadata.id(), lsn);
        }
        return new BranchPoint(metadata.id(), new Lsn(epochs.startable(wal.boundaryAtOrBefore(lsn.value()))));
    }

    public BranchPoint at(Instant time) {
        BranchPoint head = head();
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
        for (BranchPoints above = parent; above != null && time.isBefore(at.metadata.createdAt()); above = at.parent) {
            Lsn limit = new Lsn(at.ancestorLsn);
            at = above;
            parts.push(new Part(at, limit));
        }
        return parts.stream()
                .flatMap(part -> part.points.ownPointBefore(time, part.limit).stream())
                .findFirst();
    }

    private Optional<BranchPoint> ownPointBefore(Instant time, Lsn limit) {
        CommitTimes.Answer answer =
                wal.firstCommitAfter(time, limit.value(), horizon().value());
        return switch (answer) {
            case CommitTimes.Answer.NoneLater() ->
                parent == null && time.isBefore(metadata.createdAt()) ? Optional.of(beginning(time)) : Optional.empty();
            case CommitTimes.Answer.Before(long lastCommitEnd) ->
                Optional.of(
                        lastCommitEnd == 0
                                ? beginning(time)
                                : new BranchPoint(metadata.id(), new Lsn(epochs.startable(lastCommitEnd))));
        };
    }

    /** No own commit precedes the time: the timeline as it began, unless it had not begun. */
    private BranchPoint beginning(Instant time) {
        if (parent == null && time.isBefore(metadata.createdAt())) {
            throw new OutsideHistoryException(time + " is before the beginning of history, " + metadata.createdAt());
        }
        return new BranchPoint(metadata.id(), new Lsn(wal.oldest()));
    }

    /**
     * Whether an image as of {@code lsn} can be served.
     *
     * @throws OutsideHistoryException when not
     */
    public void check(Lsn lsn) {
        BranchPoints owner = owner(lsn);
        owner.refuseOutside(lsn, new Lsn(owner.wal.end()));
    }

    /**
     * Whether a point of this timeline or of an ancestor was collected.
     *
     * @throws OutsideHistoryException when so
     */
    public void refuseCollected(Lsn lsn) {
        owner(lsn).refuseCollectedHere(lsn);
    }

    private void refuseCollectedHere(Lsn lsn) {
        if (isCollected(lsn) && !retention.isPinned(metadata.id(), lsn)) {
            throw new OutsideHistoryException(
                    "LSN " + lsn + " is outside history, which reaches from " + reachesFrom() + " on");
        }
    }

    private void refuseCollected(BranchPoint point) {
        BranchPoints at = this;
        while (!point.timeline().equals(at.metadata.id()) && at.parent != null) {
            at = at.parent;
        }
        if (point.timeline().equals(at.metadata.id())) {
            at.refuseCollected(point.lsn());
        }
    }

    private void refuseOutside(Lsn lsn, Lsn end) {
        boolean before = horizon().isAfter(lsn) && !retention.isPinned(metadata.id(), lsn);
        if (before || lsn.isAfter(end)) {
            throw new OutsideHistoryException(
                    "LSN " + lsn + " is outside history, which reaches from " + reachesFrom() + " to " + end);
        }
    }

    private String reachesFrom() {
        BranchPoints at = this;
        while (at.parent != null && at.horizon().value() == at.ancestorLsn) {
            at = at.parent;
        }
        return at.horizon() + at.horizonTime().map(time -> " (" + time + ")").orElse("");
    }

    private Lsn oldestAlongChain() {
        BranchPoints at = this;
        while (at.parent != null) {
            at = at.parent;
        }
        return new Lsn(at.wal.oldest());
    }
}
