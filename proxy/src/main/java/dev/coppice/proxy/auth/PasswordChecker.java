package dev.coppice.proxy.auth;

import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Checks passwords that came as they are, which costs thousands of hashes each: on a thread of its own, so that it
 * delays no other session, and with a bounded queue.
 */
public final class PasswordChecker implements AutoCloseable {
    private static final int MAX_QUEUED = 256;

    private final ThreadPoolExecutor thread = new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_QUEUED),
            Thread.ofPlatform().daemon().name("proxy-passwords").factory());

    public PasswordChecker() {
        thread.allowCoreThreadTimeOut(true);
    }

    /** The keys of whoever has this password; empty when it is wrong. Fails when too many wait already. */
    public CompletionStage<Optional<ScramKeys>> check(ScramVerifier verifier, String password) {
        try {
            return CompletableFuture.supplyAsync(() -> verifier.keys(password), thread);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
