package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * Verifiers for roles and endpoints that do not exist, so that asking for one cannot be told from a wrong password.
 * Derived from a key of the server, so the same name gets the same salt on every attempt and after a restart, as a
 * real one would; nobody has a password that fits.
 */
public final class MockVerifiers {
    /** What Postgres itself uses unless scram_iterations says otherwise. */
    private static final int ITERATIONS = 4096;
    /** As Postgres's SCRAM_DEFAULT_SALT_LEN. */
    private static final int SALT_BYTES = 16;

    private final byte[] key;

    /** @param secret the server's secret; other uses of it stay independent of this one */
    public MockVerifiers(byte[] secret) {
        this.key = ScramHash.hmac(secret, "coppice proxy: mock SCRAM verifiers".getBytes(UTF_8));
    }

    /** @param place the project, or the unknown name, the role was looked for in */
    public ScramVerifier mock(String place, String role) {
        byte[] salt = Arrays.copyOf(derive("salt", place, role), SALT_BYTES);
        return new ScramVerifier(ITERATIONS, salt, derive("stored", place, role), derive("server", place, role));
    }

    private byte[] derive(String purpose, String place, String role) {
        // Startup strings contain no NUL, so the parts cannot run into each other.
        return ScramHash.hmac(key, (purpose + '\0' + place + '\0' + role).getBytes(UTF_8));
    }
}
