package dev.coppice.masking.crypto;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** The secret of a project under which values are masked. Never printed. */
public final class MaskKey {
    /** The least length of a secret, in bytes. */
    public static final int MIN_LENGTH = 32;

    private static final int AES_KEY_LENGTH = 16;

    private final String id;
    private final byte[] secret;

    /**
     * @param id a name for the key that may be stored and shown
     * @param secret at least {@value #MIN_LENGTH} random bytes; copied
     */
    public MaskKey(String id, byte[] secret) {
        if (secret.length < MIN_LENGTH) {
            throw new IllegalArgumentException(
                    "a masking key needs " + MIN_LENGTH + " random bytes, and this has " + secret.length);
        }
        this.id = id;
        this.secret = secret.clone();
    }

    public String id() {
        return id;
    }

    /** The key for one purpose. */
    SecretKey derive(String purpose) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            byte[] derived = mac.doFinal(("coppice masking: " + purpose).getBytes(StandardCharsets.UTF_8));
            return new SecretKeySpec(Arrays.copyOf(derived, AES_KEY_LENGTH), "AES");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK lacks HMAC-SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return "MaskKey[" + id + "]";
    }
}
