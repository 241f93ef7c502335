package dev.coppice.control.operation;

import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.error.ControlException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Keeps operations on one branch apart: either one that replaces or removes it, or any number that work with it. Nobody
 * waits: who comes second is told so, and asks again. Taken after {@link #family}. In memory: what was under way when
 * a server died is finished or undone before the next one takes requests.
 */
public final class BranchLocks {
    /** @param sharers 0 = held by one alone */
    private record Use(String what, int sharers) {}

    private final ReentrantReadWriteLock family = new ReentrantReadWriteLock();
    private final Map<String, Use> uses = new ConcurrentHashMap<>();

    /**
     * The lock of all families of branches. Read: something is being made from a branch; write: it is being decided that
     * something may be deleted. So no branch gets a child after it was found to have none.
     */
    public ReentrantReadWriteLock family() {
        return family;
    }

    /** A lock that is held until closed. */
    public interface Hold extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Keeps everybody else away from the branch.
     *
     * @param what is being done with it, as in "is being ..."
     * @throws ControlException LOCKED when somebody works with it
     */
    public Hold exclusive(Branch branch, String what) {
        @Nullable Use before = uses.putIfAbsent(branch.id(), new Use(what, 0));
        if (before != null) {
            throw locked(branch, before);
        }
        return () -> uses.remove(branch.id());
    }

    /**
     * Keeps the branch as it is.
     *
     * @throws ControlException LOCKED when somebody has it alone
     */
    public Hold shared(Branch branch, String what) {
        uses.merge(branch.id(), new Use(what, 1), (use, _) -> {
            if (use.sharers() == 0) {
                throw locked(branch, use);
            }
            return new Use(use.what(), use.sharers() + 1);
        });
        return () -> uses.computeIfPresent(
                branch.id(), (_, use) -> use.sharers() == 1 ? null : new Use(use.what(), use.sharers() - 1));
    }

    private static ControlException locked(Branch branch, Use use) {
        return new ControlException(
                ControlException.Kind.LOCKED,
                "branch \"" + branch.name() + "\" is being " + use.what() + " just now; try again in a moment");
    }
}
