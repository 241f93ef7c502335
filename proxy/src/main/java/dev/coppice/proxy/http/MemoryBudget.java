package dev.coppice.proxy.http;

import java.util.concurrent.atomic.AtomicLong;

/** What the bodies of all requests and responses together may take, in bytes. Used on any thread. */
public final class MemoryBudget {
    private final AtomicLong held = new AtomicLong();
    private volatile long maxBytes;

    MemoryBudget(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** From now on no more than this; what is held beyond it is given back in its own time. */
    void limit(long bytes) {
        maxBytes = bytes;
    }

    long heldBytes() {
        return held.get();
    }

    /** For one request. */
    Share share() {
        return new Share();
    }

    /** What one request has taken; closed when its response is on its way, or not wanted any more. */
    final class Share implements AutoCloseable {
        private long taken;
        private boolean closed;

        /** @return false when there is no more to be had */
        synchronized boolean take(long bytes) {
            if (closed || held.addAndGet(bytes) > maxBytes) {
                if (!closed) {
                    held.addAndGet(-bytes);
                }
                return false;
            }
            taken += bytes;
            return true;
        }

        @Override
        public synchronized void close() {
            closed = true;
            held.addAndGet(-taken);
            taken = 0;
        }
    }
}
