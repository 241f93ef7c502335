package dev.coppice.compute;

import dev.coppice.common.TimelineId;
import java.io.IOException;
import java.time.Clock;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One endpoint's compute over time. Operations on it form a chain: each starts when the one before has ended, however it
 * ended. Asking for what the last of the chain will do anyway joins it, so ten clients that connect at once wake once; a
 * wake during a suspend queues behind it, and the other way round.
 */
final class Endpoint {
    private enum Kind {
        WAKE,
        SUSPEND,
        CLEAN_UP
    }

    /** @param done completes with the address for a wake, with null otherwise */
    private record Operation(Kind kind, CompletableFuture<@Nullable ComputeAddress> done) {}

    private static final Logger log = LoggerFactory.getLogger(Endpoint.class);

    private final String id;
    private final ComputeStart start;
    private final ComputeLifecycle lifecycle;
    private final Consumer<Consumer<ComputeListener>> listeners;
    private final Clock clock;

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private @Nullable Operation last;
    private @Nullable RunningCompute running;
    private boolean detached;

    private volatile ComputeStatus status;

    private final WriteThrottle throttle = new WriteThrottle();

    /** @param listeners calls what it is given with every listener */
    Endpoint(
            String id,
            TimelineId timeline,
            ComputeStart start,
            ComputeLifecycle lifecycle,
            Consumer<Consumer<ComputeListener>> listeners,
            Clock clock) {
        this.id = id;
        this.start = start;
        this.lifecycle = lifecycle;
        this.listeners = listeners;
        this.clock = clock;
        this.status = new ComputeStatus(
                id, timeline, ComputeState.IDLE, clock.instant(), OptionalLong.empty(), Optional.empty());
    }

    ComputeStatus status() {
        return status;
    }

    CompletableFuture<ComputeAddress> wake(ComputeSpec spec) {
        lock.lock();
        try {
            requireAttached();
            @Nullable Operation pending = pending();
            if (pending != null && pending.kind() == Kind.WAKE) {
                return addressOf(pending);
            }
            if (pending == null && running != null && running.instance().isAlive()) {
                return running.timeline().id().equals(spec.timeline())
                        ? CompletableFuture.completedFuture(running.address())
                        : CompletableFuture.failedFuture(runsElsewhere(running, spec));
            }
            if (pending == null && running != null) {
                // It died a moment ago, and this is the first to notice.
                RunningCompute dead = running;
                Operation _ = append(Kind.CLEAN_UP, () -> runCleanUp(dead));
            }
            return addressOf(append(Kind.WAKE, () -> runWake(spec)));
        } finally {
            lock.unlock();
        }
    }

    CompletableFuture<Void> suspend() {
        lock.lock();
        try {
            requireAttached();
            @Nullable Operation pending = pending();
            if (pending != null && pending.kind() == Kind.SUSPEND) {
                return pending.done().thenApply(ignored -> null);
            }
            if (pending == null && running == null) {
                return CompletableFuture.completedFuture(null);
            }
            return append(Kind.SUSPEND, this::runSuspend).done().thenApply(ignored -> null);
        } finally {
            lock.unlock();
        }
    }

    /** Slows the compute down, and stops its growth, or no longer, as its timeline and the disk say now. For one thread. */
    void throttle(DiskSpace disk) throws IOException {
        @Nullable RunningCompute compute = current();
        if (compute != null && compute.instance().isAlive()) {
            throttle.say(
                    lifecycle.local(compute.timeline()).map(),
                    compute.timeline().writeDelayMicroseconds(),
                    disk.full(compute.timeline().id()).orElse(""));
        }
    }

    /** Whether its compute runs on a timeline. */
    boolean runsOn(TimelineId timeline) {
        @Nullable RunningCompute compute = current();
        return compute != null
                && compute.timeline().id().equals(timeline)
                && compute.instance().isAlive();
    }

    /** Ends the compute at once, as a crash does; nothing that was committed is lost. */
    void end(String why) {
        @Nullable RunningCompute compute = current();
        if (compute != null && compute.instance().isAlive()) {
            log.warn("Ending the compute of {}: {}", id, why);
            compute.instance().shutDown(ComputeDriver.Shutdown.KILL);
        }
    }

    int writeDelayMicroseconds() {
        return current() == null ? 0 : throttle.microseconds();
    }

    /** Begins with a compute that survived a restart of the server. */
    void adopted(RunningCompute compute) {
        lock.lock();
        try {
            running = compute;
        } finally {
            lock.unlock();
        }
        become(compute.timeline().id(), ComputeState.ACTIVE, compute, null);
        listeners.accept(listener -> listener.woken(id));
        watch(compute);
    }

    /** Lets go of the compute without ending it; waits for an operation that is under way. */
    void detach() {
        @Nullable Operation pending;
        lock.lock();
        try {
            detached = true;
            pending = pending();
        } finally {
            lock.unlock();
        }
        if (pending != null) {
            pending.done().handle((address, failure) -> null).join();
        }
        lock.lock();
        try {
            if (running != null) {
                running.agent().close();
            }
        } finally {
            lock.unlock();
        }
    }

    private @Nullable ComputeAddress runWake(ComputeSpec spec) throws InterruptedException {
        @Nullable RunningCompute current = current();
        if (current != null && current.instance().isAlive()) {
            if (!current.timeline().id().equals(spec.timeline())) {
                throw runsElsewhere(current, spec);
            }
            return current.address();
        }
        if (current != null) {
            // Its own clean-up failed before; nothing starts while something of it is left.
            runCleanUp(current);
        }
        become(spec.timeline(), ComputeState.WAKING, null, null);
        RunningCompute compute;
        try {
            compute = start.start(spec);
        } catch (RuntimeException | InterruptedException e) {
            become(spec.timeline(), ComputeState.FAILED, null, e.getMessage());
            throw e;
        }
        lock.lock();
        try {
            running = compute;
        } finally {
            lock.unlock();
        }
        become(spec.timeline(), ComputeState.ACTIVE, compute, null);
        listeners.accept(listener -> listener.woken(id));
        watch(compute);
        return compute.address();
    }

    private @Nullable ComputeAddress runSuspend() throws InterruptedException {
        @Nullable RunningCompute compute = current();
        if (compute == null) {
            return null;
        }
        TimelineId timeline = compute.timeline().id();
        become(timeline, ComputeState.SUSPENDING, compute, null);
        boolean clean;
        try {
            clean = lifecycle.stop(compute);
        } catch (RuntimeException e) {
            become(timeline, ComputeState.FAILED, compute, e.getMessage());
            throw e;
        }
        ended(compute, clean, "it did not stop cleanly");
        return null;
    }

    private @Nullable ComputeAddress runCleanUp(RunningCompute compute) throws InterruptedException {
        @Nullable RunningCompute current = current();
        if (current == null || !current.isSameRun(compute)) {
            return null;
        }
        String reason = lifecycle.lastWords(compute);
        log.warn("The compute of {} ended by itself: {}", id, reason);
        become(compute.timeline().id(), ComputeState.FAILED, null, reason);
        boolean clean = lifecycle.finish(compute);
        ended(compute, clean, reason);
        return null;
    }

    private void ended(RunningCompute compute, boolean clean, String reason) {
        lock.lock();
        try {
            running = null;
        } finally {
            lock.unlock();
        }
        become(compute.timeline().id(), ComputeState.IDLE, null, clean ? null : reason);
        if (clean) {
            listeners.accept(listener -> listener.suspended(id));
        } else {
            listeners.accept(listener -> listener.crashed(id, reason));
        }
    }

    private void watch(RunningCompute compute) {
        var _ = compute.instance().exit().whenComplete((status, failure) -> {
            lock.lock();
            try {
                // A suspend that is pending will find the compute gone and clean up itself.
                @Nullable Operation pending = pending();
                if (!detached
                        && running != null
                        && running.isSameRun(compute)
                        && (pending == null || pending.kind() != Kind.SUSPEND)) {
                    append(Kind.CLEAN_UP, () -> runCleanUp(compute));
                }
            } finally {
                lock.unlock();
            }
        });
    }

    private static ComputeException runsElsewhere(RunningCompute compute, ComputeSpec spec) {
        return new ComputeException("endpoint " + compute.endpointId() + " runs on timeline "
                + compute.timeline().id().value() + "; suspend it before it wakes on "
                + spec.timeline().value());
    }

    /** Where its compute listens; empty while none runs. */
    Optional<ComputeAddress> address() {
        return Optional.ofNullable(current()).map(RunningCompute::address);
    }

    private @Nullable RunningCompute current() {
        lock.lock();
        try {
            return running;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Operation pending() {
        return last == null || last.done().isDone() ? null : last;
    }

    private void requireAttached() {
        if (detached) {
            throw new ComputeException("the server is stopping");
        }
    }

    private interface Step {
        @Nullable
        ComputeAddress run() throws InterruptedException;
    }

    private Operation append(Kind kind, Step step) {
        @Nullable Operation before = last;
        Operation operation = new Operation(kind, new CompletableFuture<>());
        last = operation;
        Thread.ofVirtual().name(kind + " " + id).start(() -> {
            if (before != null) {
                before.done().handle((address, failure) -> null).join();
            }
            try {
                operation.done().complete(step.run());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                operation.done().completeExceptionally(new ComputeException("interrupted", e));
            } catch (RuntimeException | Error e) {
                log.warn("{} of {} failed", kind, id, e);
                operation.done().completeExceptionally(e);
            }
        });
        return operation;
    }

    /** A future of its own for each caller, so that one's cancelling is not another's. */
    private static CompletableFuture<ComputeAddress> addressOf(Operation wake) {
        return wake.done().thenApply(address -> {
            if (address == null) {
                throw new CompletionException(new IllegalStateException("a wake without an address"));
            }
            return address;
        });
    }

    private void become(
            TimelineId timeline, ComputeState state, @Nullable RunningCompute compute, @Nullable String failure) {
        OptionalLong pid = compute == null
                ? OptionalLong.empty()
                : OptionalLong.of(compute.instance().pid());
        status = new ComputeStatus(id, timeline, state, clock.instant(), pid, Optional.ofNullable(failure));
    }
}
