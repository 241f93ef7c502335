package dev.coppice.common.task;

import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** Turns for many in one run of a task, where one that fails must not keep the others from theirs. */
public final class ForEach {
    /** Failures that are kept beside the first: enough to see a pattern. */
    private static final int SUPPRESSED_MAX = 8;

    private ForEach() {}

    /** What is done for one. */
    public interface Action<T> {
        void run(T item) throws Exception;
    }

    /**
     * Does something for each of {@code items}, in order, whatever becomes of the others.
     *
     * @throws Exception the first that failed, with some of the later ones suppressed; at once when interrupted
     */
    public static <T> void of(Iterable<T> items, Action<? super T> action) throws Exception {
        @Nullable Throwable first = null;
        int more = 0;
        for (T item : items) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            try {
                action.run(item);
            } catch (InterruptedException | CancellationException e) {
                throw e;
            } catch (Exception | StackOverflowError e) {
                if (first == null) {
                    first = e;
                } else if (more++ < SUPPRESSED_MAX) {
                    first.addSuppressed(e);
                }
            }
        }
        if (first instanceof Error error) {
            throw error;
        }
        if (first != null) {
            throw (Exception) first;
        }
    }
}
