package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.Base64;

/**
 * The client's side of one exchange, with a ClientKey instead of a password, so without PBKDF2. No channel binding:
 * it runs over a Unix socket.
 */
public final class ScramClient {
    private static final String GS2_HEADER = "n,,";
    /** base64("n,,") */
    private static final String BINDING = "c=biws";

    private final ScramKeys keys;
    private final String clientNonce;
    private byte[] authMessage = new byte[0];

    /** @param clientNonce fresh, printable, without a comma */
    public ScramClient(ScramKeys keys, String clientNonce) {
        this.keys = keys;
        this.clientNonce = clientNonce;
    }

    public String first() {
        return GS2_HEADER + firstBare();
    }

    private String firstBare() {
        // Postgres takes the user of the startup packet and wants this one empty or ignored.
        return "n=,r=" + clientNonce;
    }

    /** @return client-final, in answer to server-first */
    public String last(String serverFirst) throws ScramException {
        String[] parts = serverFirst.split(",", -1);
        if (parts.length < 3 || !parts[0].startsWith("r=" + clientNonce)) {
            throw new ScramException("malformed SCRAM message from the compute");
        }
        String withoutProof = BINDING + "," + parts[0];
        authMessage = (firstBare() + "," + serverFirst + "," + withoutProof).getBytes(UTF_8);
        byte[] clientKey = keys.clientKey();
        byte[] signature = ScramHash.hmac(ScramHash.hash(clientKey), authMessage);
        return withoutProof + ",p=" + Base64.getEncoder().encodeToString(ScramHash.xor(clientKey, signature));
    }

    /** Checks server-final: that it is the compute which knows our ServerKey. */
    public void verify(String serverFinal) throws ScramException {
        byte[] expected = ("v=" + Base64.getEncoder().encodeToString(ScramHash.hmac(keys.serverKey(), authMessage)))
                .getBytes(UTF_8);
        if (!MessageDigest.isEqual(expected, serverFinal.getBytes(UTF_8))) {
            throw new ScramException("the compute does not know the role's password");
        }
    }
}
