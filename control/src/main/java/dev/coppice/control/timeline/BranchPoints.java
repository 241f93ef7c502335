package dev.coppice.control.timeline;

import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.operation.BranchLocks;
import dev.coppice.storage.history.Lease;

/**
 * Works with a branch at a point of its history: nobody deletes, restores or collects what is used meanwhile. Thread-safe.
 */
public final class BranchPoints {
    private final Finder finder;
    private final BranchLocks locks;
    private final PointResolver resolver;
    private final BusyParent busyParent;

    public BranchPoints(Finder finder, BranchLocks locks, PointResolver resolver, BusyParent busyParent) {
        this.finder = finder;
        this.locks = locks;
        this.resolver = resolver;
        this.busyParent = busyParent;
    }

    /** What is done at a point. */
    @FunctionalInterface
    public interface Work<T> {
        /**
         * Does it.
         *
         * @param branch as it is now
         * @param lease of the point, until this returns
         */
        T run(Branch branch, Lease lease);
    }

    /** Makes the head of a busy branch cheaper to begin from; returns at once for any other point. */
    public void prepare(Branch branch, BranchPointRequest point) {
        if (point instanceof BranchPointRequest.Head) {
            busyParent.shortenReplay(branch);
        }
    }

    /**
     * Runs {@code work} at the point.
     *
     * @param doing what is being done with the branch, as in "is being ..."
     * @throws dev.coppice.control.error.ControlException NOT_FOUND for the branch, LOCKED when somebody has it alone,
     *     UNPROCESSABLE for a point outside its history
     */
    public <T> T use(String projectId, String branchId, BranchPointRequest point, String doing, Work<T> work) {
        locks.family().readLock().lock();
        try (BranchLocks.Hold _ = locks.shared(finder.branch(projectId, branchId), doing);
                Lease lease = resolver.resolve(finder.branch(projectId, branchId), point)) {
            return work.run(finder.branch(projectId, branchId), lease);
        } finally {
            locks.family().readLock().unlock();
        }
    }
}
