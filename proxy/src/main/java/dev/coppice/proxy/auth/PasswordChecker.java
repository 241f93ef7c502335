package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Checks passwords that came as they are, which costs thousands of hashes each: on a thread of its own, so that it
 * delays no other session, and with a bounded queue.
 *
 * <p>Remembers for a while what was right, for those who send their password with each request: under a keyed hash of the
 * verifier and the password, so that neither is kept, and a changed verifier is another one. What was wrong is checked
 * anew each time.
 */
public final class PasswordChecker implements AutoCloseable {
    private static final int MAX_QUEUED = 256;
    private static final int MAX_REMEMBERED = 10_000;
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(10);
    private static final int KEY_BYTES = 32;

    private final byte[] key = new byte[KEY_BYTES];
    private final Map<String, CompletableFuture<Optional<ScramKeys>>> underWay = new ConcurrentHashMap<>();
    private final Cache<String, ScramKeys> right = Caffeine.newBuilder()
            .maximumSize(MAX_REMEMBERED)
            .expireAfterWrite(FORGOTTEN_AFTER)
            .build();

    private final ExecutorService thread;

    public PasswordChecker() {
        this(ownThread());
    }

    /** @param thread runs the checks; the checker's from here on */
    public PasswordChecker(ExecutorService thread) {
        this.thread = thread;
        new SecureRandom().nextBytes(key);
    }

    private static ExecutorService ownThread() {
        ThreadPoolExecutor one = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAX_QUEUED),
                Thread.ofPlatform().daemon().name("proxy-passwords").factory());
        one.allowCoreThreadTimeOut(true);
        return one;
    }

    /** The keys of whoever has this password, where it was found right lately. Quick; may be called on event loops. */
    public Optional<ScramKeys> known(ScramVerifier verifier, String password) {
        return Optional.ofNullable(right.getIfPresent(name(verifier, password)));
    }

    /** As {@link #check}, and remembers what is right. Those who ask the same at the same time share the answer. */
    public CompletionStage<Optional<ScramKeys>> learn(ScramVerifier verifier, String password) {
        String name = name(verifier, password);
        CompletableFuture<Optional<ScramKeys>> mine = new CompletableFuture<>();
        CompletableFuture<Optional<ScramKeys>> other = underWay.putIfAbsent(name, mine);
        if (other != null) {
            return other;
        }
        check(verifier, password).whenComplete((keys, failure) -> {
            if (failure == null) {
                keys.ifPresent(found -> right.put(name, found));
            }
            underWay.remove(name);
            if (failure == null) {
                mine.complete(keys);
            } else {
                mine.completeExceptionally(failure);
            }
        });
        return mine;
    }

    private String name(ScramVerifier verifier, String password) {
        byte[] verified = ScramHash.hmac(key, verifier.storedKey());
        return HexFormat.of().formatHex(ScramHash.hmac(verified, password.getBytes(UTF_8)));
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
