package dev.coppice.proxy.cancel;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.route.ComputeSocket;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Makes cancel keys and knows what they stand for. Clients get the process id of their backend, so that it equals
 * pg_backend_pid(), with a secret of ours: two computes may well have given the same key. A long secret (protocol 3.2) says
 * itself where it leads ({@link SealedTarget}), a short one is remembered here as long as its session. May be used on any
 * thread.
 */
public final class CancelKeys {
    /** As long as Postgres 18 makes them, in bytes. */
    private static final int LONG_SECRET_BYTES = 32;

    /** Of Linux, PID_MAX_LIMIT. */
    private static final int MAX_PROCESS_ID = 1 << 22;

    private final SecureRandom random;
    private final SealedTarget sealed;
    private final Map<CancelKey, CancelTarget> targets = new ConcurrentHashMap<>();

    /** @param secret the server's; keys made with it are understood by whoever has it */
    public CancelKeys(SecureRandom random, byte[] secret) {
        this.random = random;
        this.sealed = new SealedTarget(secret, random);
    }

    /**
     * Makes a key for a session that has just begun.
     *
     * @return what the client gets; {@link #remove} it when the session ends
     */
    public CancelKey add(ComputeSocket socket, CancelKey computeKey, ProtocolVersion clientVersion) {
        CancelTarget.Backend target = new CancelTarget.Backend(socket, computeKey);
        Optional<CancelKey> key = clientVersion.hasLongCancelKeys() ? sealed.seal(target) : Optional.empty();
        return key.orElseGet(() -> remember(target, computeKey.processId(), clientVersion));
    }

    /**
     * Makes a key for a client of a pooled endpoint; its process id is made up. It is remembered whatever its length: what
     * it stands for is in this process only.
     *
     * @param cancel see {@link CancelTarget.PooledClient}
     */
    public CancelKey addPooled(Consumer<Runnable> cancel, ProtocolVersion clientVersion) {
        int processId = 1 + random.nextInt(MAX_PROCESS_ID);
        return remember(new CancelTarget.PooledClient(cancel), processId, clientVersion);
    }

    private CancelKey remember(CancelTarget target, int processId, ProtocolVersion clientVersion) {
        byte[] secret = new byte[clientVersion.hasLongCancelKeys() ? LONG_SECRET_BYTES : CancelKey.SHORT_SECRET_BYTES];
        while (true) {
            random.nextBytes(secret);
            CancelKey key = new CancelKey(processId, secret);
            if (targets.putIfAbsent(key, target) == null) {
                return key;
            }
        }
    }

    /** What this key stands for; empty when we did not make it, or its session has ended and was remembered. */
    public Optional<CancelTarget> find(CancelKey key) {
        CancelTarget remembered = targets.get(key);
        return remembered == null ? sealed.open(key) : Optional.of(remembered);
    }

    public void remove(CancelKey key) {
        targets.remove(key);
    }

    /** How many keys are remembered. */
    public int size() {
        return targets.size();
    }
}
