package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.text.Normalizer;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server stores instead of a password, in pg_authid's form
 * {@code SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>}, the last three in base 64.
 */
public final class ScramVerifier {
    private static final Pattern TEXT = Pattern.compile(
            "SCRAM-SHA-256\\$([1-9][0-9]{0,8}):([A-Za-z0-9+/=]+)\\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)");

    private final int iterations;
    private final byte[] salt;
    private final byte[] storedKey;
    private final byte[] serverKey;

    ScramVerifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {
        this.iterations = iterations;
        this.salt = salt.clone();
        this.storedKey = storedKey.clone();
        this.serverKey = serverKey.clone();
    }

    /** Empty when the text has another form: an MD5 password, say, which SCRAM cannot check. */
    public static Optional<ScramVerifier> parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            Base64.Decoder base64 = Base64.getDecoder();
            byte[] storedKey = base64.decode(matcher.group(3));
            byte[] serverKey = base64.decode(matcher.group(4));
            if (storedKey.length != ScramHash.LENGTH_BYTES || serverKey.length != ScramHash.LENGTH_BYTES) {
                return Optional.empty();
            }
            return Optional.of(new ScramVerifier(
                    Integer.parseInt(matcher.group(1)), base64.decode(matcher.group(2)), storedKey, serverKey));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /** The keys that this password leads to, if it is the right one. Slow on purpose: not for event loops. */
    Optional<ScramKeys> keys(String password) {
        byte[] salted = ScramHash.salted(Normalizer.normalize(password, Normalizer.Form.NFKC), salt, iterations);
        byte[] clientKey = ScramHash.hmac(salted, "Client Key".getBytes(UTF_8));
        return MessageDigest.isEqual(ScramHash.hash(clientKey), storedKey)
                ? Optional.of(new ScramKeys(clientKey, serverKey))
                : Optional.empty();
    }

    int iterations() {
        return iterations;
    }

    byte[] salt() {
        return salt.clone();
    }

    byte[] storedKey() {
        return storedKey.clone();
    }

    byte[] serverKey() {
        return serverKey.clone();
    }

    /** Without the keys. */
    @Override
    public String toString() {
        return "ScramVerifier[iterations=" + iterations + "]";
    }
}
