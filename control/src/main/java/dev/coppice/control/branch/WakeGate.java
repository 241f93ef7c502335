package dev.coppice.control.branch;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Makes wakes of a branch wait while it moves to another timeline. A wake that passed before the gate was closed is known to
 * the compute service by then, so a suspend after the closing ends it too.
 */
public final class WakeGate {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    // Guarded by lock.
    private final Map<String, CompletableFuture<Void>> closed = new HashMap<>();

    /** A closed gate; {@link #close} opens it and lets those who wait go on. */
    interface Closed extends AutoCloseable {
        @Override
        void close();
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
            opening = closed.get(branchId);
            if (opening == null) {
                return wake.get();
            }
        } finally {
            lock.readLock().unlock();
        }
        return opening.thenCompose(_ -> pass(branchId, wake));
    }

    /** Closes the gate; one at a time may have it closed. */
    Closed close(String branchId) {
        CompletableFuture<Void> opening = new CompletableFuture<>();
        lock.writeLock().lock();
        try {
            if (closed.putIfAbsent(branchId, opening) != null) {
                throw new IllegalStateException("the gate of branch " + branchId + " is closed already");
            }
        } finally {
            lock.writeLock().unlock();
        }
        return () -> open(branchId, opening);
    }

    private void open(String branchId, CompletableFuture<Void> opening) {
        lock.writeLock().lock();
        try {
            closed.remove(branchId, opening);
        } finally {
            lock.writeLock().unlock();
        }
        opening.complete(null);
    }
}
