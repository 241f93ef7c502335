package dev.coppice.proxy.auth;

import java.security.SecureRandom;
import java.util.Base64;

/** Fresh SCRAM nonces: 18 random bytes as Postgres uses, in base 64, which contains no comma. */
public final class Nonces {
    private static final int RANDOM_BYTES = 18;

    private final SecureRandom random;

    public Nonces(SecureRandom random) {
        this.random = random;
    }

    public String next() {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }
}
