package dev.coppice.control.secret;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;

/**
 * Random passwords and API keys. Letters and digits only, so they need no escaping in a URL, a shell or a connection
 * string. API keys have 190 bits, so a plain SHA-256 is a sufficient hash.
 */
public final class Tokens {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final int PASSWORD_LENGTH = 24;
    private static final int API_KEY_LENGTH = 32;
    private static final int SESSION_LENGTH = 43;
    private static final String API_KEY_PREFIX = "coppice_";
    private static final String LINK_PREFIX = "coppice_link_";

    private final SecureRandom random;

    public Tokens(SecureRandom random) {
        this.random = random;
    }

    public String password() {
        return text(PASSWORD_LENGTH);
    }

    public String apiKey() {
        return API_KEY_PREFIX + text(API_KEY_LENGTH);
    }

    /** The secret of a browser's session: 256 bits. */
    public String session() {
        return text(SESSION_LENGTH);
    }

    /** The secret of a link that signs in once. */
    public String link() {
        return LINK_PREFIX + text(API_KEY_LENGTH);
    }

    /** Whether a secret has the form of those that {@link #link} makes. */
    public static boolean isLink(String secret) {
        return secret.startsWith(LINK_PREFIX);
    }

    /** What the catalog stores of an API key, and of a session's secret. */
    public static byte[] hash(String apiKey) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(apiKey.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JDK lacks SHA-256, which every JDK must have", e);
        }
    }

    private String text(int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }
}
