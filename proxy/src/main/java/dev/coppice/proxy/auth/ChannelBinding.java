package dev.coppice.proxy.auth;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Locale;
import java.util.Optional;

/** Channel binding data of type tls-server-end-point (RFC 5929): the hash of the server's certificate. */
public final class ChannelBinding {
    static final String TYPE = "tls-server-end-point";

    private final byte[] data;

    ChannelBinding(byte[] data) {
        this.data = data.clone();
    }

    /** Empty when the certificate's signature algorithm names no hash (Ed25519, say): then PLUS cannot be offered. */
    public static Optional<ChannelBinding> of(X509Certificate certificate) {
        String signature = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        int with = signature.indexOf("WITH");
        if (with < 0) {
            return Optional.empty();
        }
        String hash = switch (signature.substring(0, with)) {
            case "MD5", "SHA1" -> "SHA-256";
            case "SHA224" -> "SHA-224";
            case "SHA256" -> "SHA-256";
            case "SHA384" -> "SHA-384";
            case "SHA512" -> "SHA-512";
            default -> "";
        };
        if (hash.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new ChannelBinding(MessageDigest.getInstance(hash).digest(certificate.getEncoded())));
        } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
            throw new IllegalStateException("the certificate cannot be hashed for channel binding", e);
        }
    }

    byte[] data() {
        return data.clone();
    }
}
