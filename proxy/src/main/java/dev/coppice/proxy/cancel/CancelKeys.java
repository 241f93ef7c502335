package dev.coppice.proxy.cancel;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The cancel keys of all open sessions. Clients get the process id of their backend, so that it equals
 * pg_backend_pid(), with a secret of ours: two computes may well have given the same key.
 */
public final class CancelKeys {
    /** As long as Postgres 18 makes them, in bytes. */
    private static final int LONG_SECRET_BYTES = 32;

    /** Of Linux, PID_MAX_LIMIT. */
    private static final int MAX_PROCESS_ID = 1 << 22;

    private final SecureRandom random;
    private final Map<CancelKey, CancelTarget> targets = new ConcurrentHashMap<>();

    public CancelKeys(SecureRandom random) {
        this.random = random;
    }

    /**
     * Makes a key for a session that has just begun.
     *
     * @return what the client gets; {@link #remove} it when the session ends
     */
    public CancelKey add(Path socket, CancelKey computeKey, ProtocolVersion clientVersion) {
        return add(new CancelTarget.Backend(socket, computeKey), computeKey.processId(), clientVersion);
    }

    /**
     * Makes a key for a client of a pooled endpoint; its process id is made up.
     *
     * @param cancel see {@link CancelTarget.PooledClient}
     */
    public CancelKey addPooled(Runnable cancel, ProtocolVersion clientVersion) {
        int processId = 1 + random.nextInt(MAX_PROCESS_ID);
        return add(new CancelTarget.PooledClient(cancel), processId, clientVersion);
    }

    private CancelKey add(CancelTarget target, int processId, ProtocolVersion clientVersion) {
        byte[] secret = new byte[clientVersion.hasLongCancelKeys() ? LONG_SECRET_BYTES : CancelKey.SHORT_SECRET_BYTES];
        while (true) {
            random.nextBytes(secret);
            CancelKey key = new CancelKey(processId, secret);
            if (targets.putIfAbsent(key, target) == null) {
                return key;
            }
        }
    }

    /** The session that holds this key. */
    public Optional<CancelTarget> find(CancelKey key) {
        return Optional.ofNullable(targets.get(key));
    }

    public void remove(CancelKey key) {
        targets.remove(key);
    }

    /** How many sessions hold a key. */
    public int size() {
        return targets.size();
    }
}
