package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** H() and HMAC() of RFC 5802 with SHA-256, which every JDK has. */
final class ScramHash {
    /** Length of every key and signature, in bytes. */
    static final int LENGTH_BYTES = 32;

    private static final String MAC_ALGORITHM = "HmacSHA256";

    private ScramHash() {}

    static byte[] hash(byte[] input) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(input);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] hmac(byte[] key, byte[] input) {
        try {
            Mac mac = Mac.getInstance(MAC_ALGORITHM);
            mac.init(new SecretKeySpec(key, MAC_ALGORITHM));
            return mac.doFinal(input);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Hi() of RFC 5802, PBKDF2 with one block; {@code password} is normalised. */
    static byte[] salted(String password, byte[] salt, int iterations) {
        try {
            Mac mac = Mac.getInstance(MAC_ALGORITHM);
            byte[] key = password.getBytes(UTF_8);
            // An empty key is not allowed by SecretKeySpec; HMAC pads it with zeroes anyway.
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, MAC_ALGORITHM));
            mac.update(salt);
            byte[] last = mac.doFinal(new byte[] {0, 0, 0, 1});
            byte[] result = last.clone();
            for (int i = 1; i < iterations; i++) {
                last = mac.doFinal(last);
                for (int j = 0; j < LENGTH_BYTES; j++) {
                    result[j] ^= last[j];
                }
            }
            return result;
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] xor(byte[] a, byte[] b) {
        byte[] result = new byte[a.length];
        for (int i = 0; i < a.length; i++) {
            result[i] = (byte) (a[i] ^ b[i]);
        }
        return result;
    }
}
