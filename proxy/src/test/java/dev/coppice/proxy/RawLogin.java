package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** A SCRAM login of which any part can be made wrong. */
final class RawLogin {
    private static final String CLIENT_NONCE = "rawclientnonce";

    private final String password;
    private String mechanism = "SCRAM-SHA-256";
    private String gs2Header = "n,,";
    private byte[] binding = new byte[0];
    private UnaryOperator<String> nonce = UnaryOperator.identity();
    private UnaryOperator<String> proof = UnaryOperator.identity();

    RawLogin(String password) {
        this.password = password;
    }

    /** Another mechanism, and what the client says about channel binding: {@code n}, {@code y} or {@code p=<type>}. */
    RawLogin mechanism(String name, String flag) {
        mechanism = name;
        gs2Header = flag + ",,";
        return this;
    }

    /** With the channel bound to a certificate that is signed with SHA-256. */
    RawLogin boundTo(X509Certificate certificate) throws GeneralSecurityException {
        return mechanism("SCRAM-SHA-256-PLUS", "p=tls-server-end-point")
                .binding(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded()));
    }

    /** The data to bind to. */
    RawLogin binding(byte[] data) {
        binding = data.clone();
        return this;
    }

    /** Changes the nonce of the last message. */
    RawLogin nonce(UnaryOperator<String> change) {
        nonce = change;
        return this;
    }

    /** Changes the proof, which is in base64. */
    RawLogin proof(UnaryOperator<String> change) {
        proof = change;
        return this;
    }

    /** Startup and SCRAM; returns behind AuthenticationOk, or at the first error. */
    RawClient.Reply run(RawClient client, int version, String user, String database)
            throws IOException, GeneralSecurityException {
        client.startup(version, "user", user, "database", database);
        RawClient.Reply reply = client.read();
        if (reply.type() != 'R') {
            return reply;
        }
        String firstBare = "n=,r=" + CLIENT_NONCE;
        byte[] first = (gs2Header + firstBare).getBytes(UTF_8);
        client.message(
                'p',
                ByteBuffer.allocate(mechanism.length() + 1 + 4 + first.length)
                        .put((mechanism + '\0').getBytes(UTF_8))
                        .putInt(first.length)
                        .put(first)
                        .array());
        reply = client.read();
        if (reply.type() != 'R') {
            return reply;
        }
        String serverFirst = UTF_8.decode(reply.body().duplicate().position(4)).toString();
        client.message('p', last(firstBare, serverFirst).getBytes(UTF_8));
        reply = client.read();
        return reply.type() == 'R' ? client.read() : reply;
    }

    private String last(String firstBare, String serverFirst) throws GeneralSecurityException {
        String[] parts = serverFirst.split(",", -1);
        byte[] salt = Base64.getDecoder().decode(parts[1].substring(2));
        byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                .generateSecret(
                        new PBEKeySpec(password.toCharArray(), salt, Integer.parseInt(parts[2].substring(2)), 256))
                .getEncoded();
        byte[] clientKey = hmac(salted, "Client Key");
        byte[] storedKey = MessageDigest.getInstance("SHA-256").digest(clientKey);
        ByteArrayOutputStream bound = new ByteArrayOutputStream();
        bound.writeBytes(gs2Header.getBytes(UTF_8));
        bound.writeBytes(binding);
        String withoutProof = "c=" + Base64.getEncoder().encodeToString(bound.toByteArray()) + ",r="
                + nonce.apply(parts[0].substring(2));
        byte[] signed = hmac(storedKey, firstBare + "," + serverFirst + "," + withoutProof);
        for (int i = 0; i < signed.length; i++) {
            signed[i] ^= clientKey[i];
        }
        return withoutProof + ",p=" + proof.apply(Base64.getEncoder().encodeToString(signed));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(UTF_8));
    }
}
