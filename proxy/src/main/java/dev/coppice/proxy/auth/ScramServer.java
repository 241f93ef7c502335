package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * The server's side of one exchange (RFC 5802 section 5):
 *
 * <pre>
 * client-first   gs2-header "n=" user ",r=" nonce          gs2-header = ("n" | "y" | "p=" type) ",,"
 * server-first   "r=" both nonces ",s=" salt ",i=" iterations
 * client-final   "c=" base64(gs2-header binding) ",r=" both nonces ",p=" proof
 * server-final   "v=" ServerSignature
 * </pre>
 *
 * The user name in it is ignored, as Postgres does: the startup packet has it.
 */
public final class ScramServer {
    public static final String MECHANISM = "SCRAM-SHA-256";
    public static final String MECHANISM_PLUS = "SCRAM-SHA-256-PLUS";

    /** How the exchange ended. */
    public sealed interface Outcome {
        /** The password was right. */
        record Accepted(String serverFinal, ScramKeys keys) implements Outcome {}

        /** It was not, or there is no such role. */
        record Rejected() implements Outcome {}
    }

    private final ScramVerifier verifier;
    private final boolean mock;
    private final String serverNonce;
    private final Optional<ChannelBinding> binding;

    private String gs2Header = "";
    private boolean bound;
    private String clientFirstBare = "";
    private String nonce = "";
    private String serverFirst = "";

    /**
     * @param mock whether nobody may get in, whatever the proof
     * @param serverNonce fresh, printable, without a comma
     * @param binding of this connection, if it is over TLS
     */
    public ScramServer(ScramVerifier verifier, boolean mock, String serverNonce, Optional<ChannelBinding> binding) {
        this.verifier = verifier;
        this.mock = mock;
        this.serverNonce = serverNonce;
        this.binding = binding;
    }

    /** What to offer, the preferred first. */
    public static List<String> mechanisms(Optional<ChannelBinding> binding) {
        return binding.isPresent() ? List.of(MECHANISM_PLUS, MECHANISM) : List.of(MECHANISM);
    }

    /**
     * Answers a SASLInitialResponse: String mechanism, Int32 length, Byte[length] client-first.
     *
     * @return server-first
     */
    public String first(byte[] initialResponse) throws ScramException {
        int end = 0;
        while (end < initialResponse.length && initialResponse[end] != 0) {
            end++;
        }
        int dataStart = end + 1 + Integer.BYTES;
        if (initialResponse.length < dataStart) {
            throw new ScramException("malformed SASL initial response");
        }
        String mechanism = new String(initialResponse, 0, end, UTF_8);
        if (!mechanisms(binding).contains(mechanism)) {
            throw new ScramException("client selected an invalid SASL authentication mechanism");
        }
        readClientFirst(
                mechanism.equals(MECHANISM_PLUS),
                new String(initialResponse, dataStart, initialResponse.length - dataStart, UTF_8));
        serverFirst = "r=" + nonce + ",s=" + Base64.getEncoder().encodeToString(verifier.salt()) + ",i="
                + verifier.iterations();
        return serverFirst;
    }

    private void readClientFirst(boolean plus, String message) throws ScramException {
        String[] parts = message.split(",", -1);
        if (parts.length < 4) {
            throw malformed();
        }
        switch (parts[0]) {
            case "n" -> check(!plus, "client selected SCRAM-SHA-256-PLUS, but does not bind the channel");
            case "y" -> {
                check(!plus, "client selected SCRAM-SHA-256-PLUS, but does not bind the channel");
                // It thinks we do not offer PLUS although we do: somebody between us removed it.
                check(binding.isEmpty(), "SCRAM channel binding negotiation error");
            }
            case "p=" + ChannelBinding.TYPE -> {
                check(plus, "client binds the channel without having selected SCRAM-SHA-256-PLUS");
                bound = true;
            }
            default -> throw new ScramException("unsupported SCRAM channel-binding type");
        }
        check(parts[1].isEmpty(), "client uses authorization identity, but it is not supported");
        check(!parts[2].startsWith("m="), "client requires an unsupported SCRAM extension");
        check(parts[2].startsWith("n=") && parts[3].startsWith("r="), "malformed SCRAM message");
        String clientNonce = parts[3].substring(2);
        check(
                !clientNonce.isEmpty() && clientNonce.chars().allMatch(c -> c > 0x20 && c < 0x7F),
                "malformed SCRAM nonce");
        gs2Header = parts[0] + ",,";
        clientFirstBare = message.substring(gs2Header.length());
        nonce = clientNonce + serverNonce;
    }

    /** Answers a SASLResponse carrying client-final. */
    public Outcome last(byte[] response) throws ScramException {
        String message = new String(response, UTF_8);
        int proofStart = message.lastIndexOf(",p=");
        if (proofStart < 0) {
            throw malformed();
        }
        String withoutProof = message.substring(0, proofStart);
        String[] parts = withoutProof.split(",", -1);
        check(parts.length >= 2 && parts[0].startsWith("c=") && parts[1].startsWith("r="), "malformed SCRAM message");
        check(
                MessageDigest.isEqual(base64(parts[0].substring(2)), expectedBinding()),
                "SCRAM channel binding check failed");
        check(parts[1].substring(2).equals(nonce), "SCRAM nonce does not match");
        byte[] proof = base64(message.substring(proofStart + 3));
        check(proof.length == ScramHash.LENGTH_BYTES, "malformed SCRAM proof");

        byte[] authMessage = (clientFirstBare + "," + serverFirst + "," + withoutProof).getBytes(UTF_8);
        byte[] clientKey = ScramHash.xor(proof, ScramHash.hmac(verifier.storedKey(), authMessage));
        String serverFinal =
                "v=" + Base64.getEncoder().encodeToString(ScramHash.hmac(verifier.serverKey(), authMessage));
        boolean right = MessageDigest.isEqual(ScramHash.hash(clientKey), verifier.storedKey());
        return right && !mock
                ? new Outcome.Accepted(serverFinal, new ScramKeys(clientKey, verifier.serverKey()))
                : new Outcome.Rejected();
    }

    private byte[] expectedBinding() {
        byte[] header = gs2Header.getBytes(UTF_8);
        if (!bound) {
            return header;
        }
        byte[] data = binding.orElseThrow().data();
        byte[] both = Arrays.copyOf(header, header.length + data.length);
        System.arraycopy(data, 0, both, header.length, data.length);
        return both;
    }

    private static byte[] base64(String text) throws ScramException {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException _) {
            throw malformed();
        }
    }

    private static void check(boolean condition, String otherwise) throws ScramException {
        if (!condition) {
            throw new ScramException(otherwise);
        }
    }

    private static ScramException malformed() {
        return new ScramException("malformed SCRAM message");
    }
}
