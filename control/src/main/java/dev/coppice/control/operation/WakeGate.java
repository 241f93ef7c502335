package dev.coppice.control.operation;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes wakes of a branch wait while it moves to another timeline. A wake that passed before the gate was closed is known to
 * the compute service by then, so a suspend after the closing ends it too.
 */
public final class WakeGate {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    // Guarded by lock.
    private final Map<String, Waiting> closed = new HashMap<>();

    /**
     * What waits at a closed gate.
     *
     * @param doing what happens behind it, for those who wait long; absent = something short
     */
    private record Waiting(CompletableFuture<Void> opening, AtomicReference<@Nullable String> doing) {}

    /** A closed gate; {@link #close} opens it and lets those who wait go on. */
    public interface Closed extends AutoCloseable {
        /** Says what happens behind the gate. */
        void doing(String what);

        @Override
        void close();
    }

    /** What those wait for who would wake the branch now; empty when the gate is open, or soon will be. */
    public Optional<String> waitsFor(String branchId) {
        lock.readLock().lock();
        try {
            return Optional.ofNullable(closed.get(branchId)).map(waiting -> waiting.doing.get());
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Runs {@code wake} now, or when the branch's gate opens; never blocks.
     *
     * @param wake looks up the branch's timeline itself and does not block
     */
    public <T> CompletableFuture<T> pass(String branchId, Supplier<CompletableFuture<T>> wake) {
        CompletableFuture<Void> opening;
        lock.readLock().lock();
        try {
            Waiting waiting = closed.get(branchId);
            if (waiting == null) {
                return wake.get();
            }
            opening = waiting.opening;
        } finally {
            lock.readLock().unlock();
        }
        return opening.thenCompose(_ -> pass(branchId, wake));
    }

    /** Closes the gate; one at a time may have it closed. */
    public Closed close(String branchId) {
        Waiting waiting = new Waiting(new CompletableFuture<>(), new AtomicReference<>());
        lock.writeLock().lock();
        try {
            if (closed.putIfAbsent(branchId, waiting) != null) {
                throw new IllegalStateException("the gate of branch " + branchId + " is closed already");
            }
        } finally {
            lock.writeLock().unlock();
        }
        return new Closed() {
            @Override
            public void doing(String what) {
                waiting.doing.set(what);
            }

            @Override
            public void close() {
                open(branchId, waiting);
            }
        };
    }

    private void open(String branchId, Waiting waiting) {
        lock.writeLock().lock();
        try {
            closed.remove(branchId, waiting);
        } finally {
            lock.writeLock().unlock();
        }
        waiting.opening.complete(null);
    }
}
