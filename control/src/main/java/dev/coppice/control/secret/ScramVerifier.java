package dev.coppice.control.secret;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Postgres's stored form of a password, {@code SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>} (RFC 5802 and
 * src/common/scram-common.c). Made here, so that a password never travels in an SQL statement. Passwords are taken to be
 * free of what SASLprep changes; for others {@link #matches} may say no.
 */
public final class ScramVerifier {
    private static final String PREFIX = "SCRAM-SHA-256$";
    private static final int ITERATIONS = 4096;
    private static final int ITERATIONS_MAX = 10_000_000;
    private static final int SALT_BYTES = 16;
    private static final int KEY_BITS = 256;

    private ScramVerifier() {}

    /** The verifier of {@code password} with a fresh salt. */
    public static String create(String password, SecureRandom random) {
        byte[] salt = new byte[SALT_BYTES];
        random.nextBytes(salt);
        return build(password, salt, ITERATIONS);
    }

    /** Whether this is a verifier that SCRAM-SHA-256 can work with; md5 and absent passwords are not. */
    public static boolean isScram(@Nullable String stored) {
        return stored != null && stored.startsWith(PREFIX);
    }

    /** Whether {@code verifier} was made from {@code password}; false for anything that is not a SCRAM verifier. */
    public static boolean matches(String password, @Nullable String verifier) {
        if (verifier == null || !verifier.startsWith(PREFIX)) {
            return false;
        }
        int colon = verifier.indexOf(':');
        int dollar = verifier.indexOf('$', PREFIX.length());
        if (colon < 0 || dollar < colon) {
            return false;
        }
        try {
            int iterations = Integer.parseInt(verifier.substring(PREFIX.length(), colon));
            byte[] salt = Base64.getDecoder().decode(verifier.substring(colon + 1, dollar));
            if (iterations < 1 || iterations > ITERATIONS_MAX || salt.length == 0) {
                return false;
            }
            return MessageDigest.isEqual(
                    build(password, salt, iterations).getBytes(StandardCharsets.UTF_8),
                    verifier.getBytes(StandardCharsets.UTF_8));
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private static String build(String password, byte[] salt, int iterations) {
        try {
            byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(new PBEKeySpec(password.toCharArray(), salt, iterations, KEY_BITS))
                    .getEncoded();
            byte[] storedKey = MessageDigest.getInstance("SHA-256").digest(hmac(salted, "Client Key"));
            byte[] serverKey = hmac(salted, "Server Key");
            Base64.Encoder base64 = Base64.getEncoder();
            return PREFIX
                    + iterations
                    + ':'
                    + base64.encodeToString(salt)
                    + '$'
                    + base64.encodeToString(storedKey)
                    + ':'
                    + base64.encodeToString(serverKey);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks an algorithm that every JDK must have", e);
        }
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}
