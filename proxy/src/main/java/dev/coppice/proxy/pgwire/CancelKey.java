package dev.coppice.proxy.pgwire;

import java.security.MessageDigest;
import java.util.Arrays;

/**
 * Process id and secret of BackendKeyData and CancelRequest. The secret has 4 bytes in protocol 3.0, up to 256 in
 * 3.2. Immutable; secrets are compared in constant time and never printed.
 */
public final class CancelKey {
    /** The secret length of protocol 3.0, in bytes. */
    public static final int SHORT_SECRET_BYTES = 4;
    /** The longest secret protocol 3.2 allows, in bytes. */
    public static final int MAX_SECRET_BYTES = 256;

    private final int processId;
    private final byte[] secret;

    public CancelKey(int processId, byte[] secret) {
        if (secret.length < SHORT_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
            throw new IllegalArgumentException("a cancel secret has 4 to 256 bytes, not " + secret.length);
        }
        this.processId = processId;
        this.secret = secret.clone();
    }

    public int processId() {
        return processId;
    }

    /** A copy. */
    public byte[] secret() {
        return secret.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CancelKey key
                && processId == key.processId
                && MessageDigest.isEqual(secret, key.secret);
    }

    @Override
    public int hashCode() {
        return 31 * processId + Arrays.hashCode(secret);
    }

    @Override
    public String toString() {
        return "CancelKey[" + processId + "]";
    }
}
