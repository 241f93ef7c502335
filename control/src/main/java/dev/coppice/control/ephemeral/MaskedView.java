package dev.coppice.control.ephemeral;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.catalog.model.HiddenTimeline;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * One masked copy of a branch as it was at one moment, with a compute that cannot write: made once, visited any number of times, then
 * ended once. Thread-safe.
 */
public final class MaskedView {
    /** Who came in before the view was too old for logins has at least this long. */
    private static final Duration STAY_MIN = Duration.ofMinutes(1);

    private final MaskedViews.Key key;
    private final long number;
    private final HiddenTimeline row;
    private final Map<String, String> verifiers;
    private final Computes computes;
    private final CompletableFuture<Opened> opened = new CompletableFuture<>();

    // Guarded by this.
    private int arriving;
    private boolean ended;

    /**
     * It can be visited.
     *
     * @param asOf the moment of the branch that it shows
     * @param openedAt when it could first be visited
     */
    public record Opened(Instant asOf, Instant openedAt) {}

    /** @param verifiers of the roles that can log in */
    MaskedView(MaskedViews.Key key, long number, HiddenTimeline row, Map<String, String> verifiers, Computes computes) {
        this.key = key;
        this.number = number;
        this.row = row;
        this.verifiers = Map.copyOf(verifiers);
        this.computes = computes;
    }

    public MaskedViews.Key key() {
        return key;
    }

    /** Grows from one view to the next. */
    long number() {
        return number;
    }

    HiddenTimeline row() {
        return row;
    }

    public TimelineId timeline() {
        return new TimelineId(row.timelineId());
    }

    String endpointId() {
        return Objects.requireNonNull(row.endpointId());
    }

    public Map<String, String> verifiers() {
        return verifiers;
    }

    void opened(Opened result) {
        opened.complete(result);
    }

    void failed(Throwable reason) {
        opened.completeExceptionally(reason);
    }

    /** Empty while it is being made, and when that failed. */
    public Optional<Opened> opened() {
        return opened.isDone() && !opened.isCompletedExceptionally() ? Optional.of(opened.join()) : Optional.empty();
    }

    /** Whether nobody waits for it to be made any more, because it is or because that failed. */
    boolean isMade() {
        return opened.isDone();
    }

    /**
     * Whether the view is good for a login now.
     *
     * @param verifier of the role as the branch has it; the view cannot be told a new one
     */
    synchronized boolean takes(String role, @Nullable String verifier, Instant now) {
        return isFresh(now) && verifier != null && verifier.equals(verifiers.get(role));
    }

    /** Whether it is not too old for logins, or is still being made. */
    synchronized boolean isFresh(Instant now) {
        if (ended || opened.isCompletedExceptionally()) {
            return false;
        }
        return !opened.isDone() || now.isBefore(opened.join().openedAt().plusSeconds(key.maxLagSeconds()));
    }

    /** Whether those who came while it took logins have had their time, too. */
    boolean isOver(Instant now) {
        Duration lag = Duration.ofSeconds(key.maxLagSeconds());
        Duration stay = lag.compareTo(STAY_MIN) < 0 ? STAY_MIN : lag;
        return opened().filter(open -> !now.isBefore(open.openedAt().plus(lag).plus(stay)))
                .isPresent();
    }

    /**
     * Wakes the compute, once the view is made.
     *
     * @param watch begins to watch the running compute for its idleness
     * @return its address; empty when the view has ended
     * @throws ControlException when it cannot be made
     */
    Optional<ComputeAddress> visit(Runnable watch) {
        synchronized (this) {
            if (ended) {
                return Optional.empty();
            }
            arriving++;
        }
        try {
            opened.join();
            synchronized (this) {
                if (ended) {
                    return Optional.empty();
                }
            }
            ComputeAddress address = computes.awake(endpointId(), timeline());
            watch.run();
            return Optional.of(address);
        } catch (CompletionException e) {
            throw e.getCause() instanceof ControlException refused ? refused : e;
        } finally {
            synchronized (this) {
                arriving--;
            }
        }
    }

    /** Whether somebody is on the way in. */
    synchronized boolean isAwaited() {
        return arriving > 0;
    }

    /** Lets nobody in any more; answers whether this ended it. */
    synchronized boolean end() {
        boolean now = !ended;
        ended = true;
        return now;
    }

    synchronized boolean isEnded() {
        return ended;
    }
}
