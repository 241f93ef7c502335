package dev.coppice.proxy.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.proxy.TestVerifiers;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScramTest {
    /** The exchange of RFC 7677 section 3: user "user", password "pencil". */
    private static final String RFC_SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";

    private static final String RFC_CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
    private static final String RFC_SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private static final String RFC_CLIENT_FINAL =
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static final String RFC_SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    private static final Optional<ChannelBinding> BINDING = Optional.of(new ChannelBinding(new byte[] {1, 2, 3}));

    private final ScramVerifier verifier = ScramVerifier.parse(TestVerifiers.verifier("secret", "0123456789abcdef"))
            .orElseThrow();

    private static byte[] initial(String mechanism, String clientFirst) {
        byte[] first = clientFirst.getBytes(UTF_8);
        return ByteBuffer.allocate(mechanism.length() + 1 + 4 + first.length)
                .put(mechanism.getBytes(UTF_8))
                .put((byte) 0)
                .putInt(first.length)
                .put(first)
                .array();
    }

    private ScramServer server(Optional<ChannelBinding> binding) {
        return new ScramServer(verifier, false, "server", binding);
    }

    private void assertViolation(Optional<ChannelBinding> binding, String mechanism, String first, String message) {
        assertThatThrownBy(() -> server(binding).first(initial(mechanism, first)))
                .isInstanceOf(ScramException.class)
                .hasMessageContaining(message);
    }

    @Test
    void follows_the_example_of_rfc_7677() throws Exception {
        String text = TestVerifiers.verifier("pencil", Base64.getDecoder().decode(RFC_SALT));
        ScramServer server =
                new ScramServer(ScramVerifier.parse(text).orElseThrow(), false, RFC_SERVER_NONCE, Optional.empty());
        assertThat(server.first(initial("SCRAM-SHA-256", "n,,n=user,r=" + RFC_CLIENT_NONCE)))
                .isEqualTo("r=" + RFC_CLIENT_NONCE + RFC_SERVER_NONCE + ",s=" + RFC_SALT + ",i=4096");
        assertThat(server.last(RFC_CLIENT_FINAL.getBytes(UTF_8)))
                .isInstanceOfSatisfying(
                        ScramServer.Outcome.Accepted.class,
                        accepted -> assertThat(accepted.serverFinal()).isEqualTo(RFC_SERVER_FINAL));
    }

    @Test
    void a_recovered_client_key_logs_in_elsewhere_with_the_same_verifier() throws Exception {
        ScramKeys keys = keysFromRightPassword();
        ScramServer compute = new ScramServer(verifier, false, "compute", Optional.empty());
        ScramClient client = new ScramClient(keys, "proxy");
        String serverFirst = compute.first(initial("SCRAM-SHA-256", client.first()));
        ScramServer.Outcome outcome = compute.last(client.last(serverFirst).getBytes(UTF_8));
        assertThat(outcome).isInstanceOf(ScramServer.Outcome.Accepted.class);
        client.verify(((ScramServer.Outcome.Accepted) outcome).serverFinal());
        assertThatThrownBy(() -> client.verify("v=AAAA")).isInstanceOf(ScramException.class);
    }

    @Test
    void a_recovered_client_key_is_refused_after_the_password_changed() throws Exception {
        ScramVerifier changed = ScramVerifier.parse(TestVerifiers.verifier("other", "0123456789abcdef"))
                .orElseThrow();
        ScramServer compute = new ScramServer(changed, false, "compute", Optional.empty());
        ScramClient client = new ScramClient(keysFromRightPassword(), "proxy");
        String serverFirst = compute.first(initial("SCRAM-SHA-256", client.first()));
        assertThat(compute.last(client.last(serverFirst).getBytes(UTF_8)))
                .isInstanceOf(ScramServer.Outcome.Rejected.class);
    }

    /** Plays a driver that knows the password "secret" and binds the channel if told to. */
    private ScramServer.Outcome login(ScramServer server, String mechanism, String gs2Header, byte[] binding)
            throws Exception {
        String firstBare = "n=,r=driver";
        String serverFirst = server.first(initial(mechanism, gs2Header + firstBare));
        byte[] header = gs2Header.getBytes(UTF_8);
        byte[] bound = ByteBuffer.allocate(header.length + binding.length)
                .put(header)
                .put(binding)
                .array();
        String withoutProof = "c=" + Base64.getEncoder().encodeToString(bound) + ","
                + serverFirst.substring(0, serverFirst.indexOf(','));
        byte[] clientKey = TestVerifiers.clientKey("secret", "0123456789abcdef");
        byte[] signature = ScramHash.hmac(
                ScramHash.hash(clientKey), (firstBare + "," + serverFirst + "," + withoutProof).getBytes(UTF_8));
        String proof = Base64.getEncoder().encodeToString(ScramHash.xor(clientKey, signature));
        return server.last((withoutProof + ",p=" + proof).getBytes(UTF_8));
    }

    private ScramKeys keysFromRightPassword() throws Exception {
        return ((ScramServer.Outcome.Accepted) login(server(Optional.empty()), "SCRAM-SHA-256", "n,,", new byte[0]))
                .keys();
    }

    @Test
    void the_channel_is_bound_over_tls() throws Exception {
        assertThat(login(server(BINDING), "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", new byte[] {1, 2, 3}))
                .isInstanceOf(ScramServer.Outcome.Accepted.class);
        assertThatThrownBy(() ->
                        login(server(BINDING), "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", new byte[] {1, 2, 4}))
                .isInstanceOf(ScramException.class)
                .hasMessageContaining("channel binding check failed");
    }

    @Test
    void plus_is_offered_only_with_a_binding() {
        assertThat(ScramServer.mechanisms(BINDING)).containsExactly("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
        assertThat(ScramServer.mechanisms(Optional.empty())).containsExactly("SCRAM-SHA-256");
    }

    @Test
    void a_removed_offer_of_plus_is_noticed() {
        assertViolation(BINDING, "SCRAM-SHA-256", "y,,n=,r=x", "channel binding negotiation error");
    }

    @Test
    void breaches_of_the_protocol_are_named() {
        Optional<ChannelBinding> none = Optional.empty();
        assertViolation(none, "SCRAM-SHA-1", "n,,n=,r=x", "invalid SASL authentication mechanism");
        assertViolation(none, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=x", "invalid SASL");
        assertViolation(none, "SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=x", "without having selected");
        assertViolation(BINDING, "SCRAM-SHA-256-PLUS", "n,,n=,r=x", "does not bind the channel");
        assertViolation(BINDING, "SCRAM-SHA-256-PLUS", "p=tls-unique,,n=,r=x", "unsupported SCRAM channel-binding");
        assertViolation(none, "SCRAM-SHA-256", "n,a=root,n=,r=x", "authorization identity");
        assertViolation(none, "SCRAM-SHA-256", "n,,m=ext,n=,r=x", "unsupported SCRAM extension");
        assertViolation(none, "SCRAM-SHA-256", "n,,n=,r=", "malformed SCRAM nonce");
        assertViolation(none, "SCRAM-SHA-256", "n", "malformed SCRAM message");
        assertThatThrownBy(() -> server(none).first(new byte[] {'x'})).isInstanceOf(ScramException.class);
    }

    @Test
    void wrong_nonces_and_proofs_of_wrong_length_are_refused() throws Exception {
        for (String last : new String[] {
            "c=biws,r=driverother,p=AAAA", "c=biws,r=driverserver,p=AAAA", "c=biws,r=driverserver", "p=", ""
        }) {
            ScramServer server = server(Optional.empty());
            server.first(initial("SCRAM-SHA-256", "n,,n=,r=driver"));
            assertThatThrownBy(() -> server.last(last.getBytes(UTF_8))).as(last).isInstanceOf(ScramException.class);
        }
    }

    @Test
    void a_mock_lets_nobody_in_even_with_the_right_proof() throws Exception {
        ScramServer mock = new ScramServer(verifier, true, "server", Optional.empty());
        assertThat(login(mock, "SCRAM-SHA-256", "n,,", new byte[0])).isInstanceOf(ScramServer.Outcome.Rejected.class);
    }

    @Test
    void mocks_are_stable_per_place_and_role_and_look_like_the_real_thing() {
        byte[] secret = "secret".getBytes(UTF_8);
        ScramVerifier one = new MockVerifiers(secret).mock("p1", "alice");
        assertThat(new MockVerifiers(secret).mock("p1", "alice").salt()).isEqualTo(one.salt());
        assertThat(new MockVerifiers(secret).mock("p2", "alice").salt()).isNotEqualTo(one.salt());
        assertThat(new MockVerifiers(secret).mock("p1", "bob").salt()).isNotEqualTo(one.salt());
        assertThat(one.iterations()).isEqualTo(4096);
        assertThat(one.salt()).hasSize(16);
    }

    @Test
    void verifiers_of_other_forms_are_not_taken() {
        assertThat(ScramVerifier.parse("md5d41d8cd98f00b204e9800998ecf8427e")).isEmpty();
        assertThat(ScramVerifier.parse("SCRAM-SHA-256$0:AA==$AA==:AA==")).isEmpty();
        assertThat(ScramVerifier.parse("SCRAM-SHA-256$4096:AA==$AA==:AA==")).isEmpty();
        assertThat(ScramVerifier.parse("")).isEmpty();
    }

    @Test
    void secrets_are_not_printed() throws Exception {
        assertThat(verifier).hasToString("ScramVerifier[iterations=4096]");
        assertThat(keysFromRightPassword()).hasToString("ScramKeys[]");
    }
}
