package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.tls.TlsSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Certificates: several by server name, those of clients, and others after a reload. */
class TlsIT {
    private static final Duration DAY = Duration.ofDays(1);

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    @TempDir
    private static Path directory;

    private static TestCertificates authority;

    @BeforeAll
    static void issue() throws Exception {
        authority = new TestCertificates("authority of the tests");
        authority.issue("RSA", "first", DAY, "db.example.com").write(file("first.crt"), file("first.key"), true);
        authority.issue("EC", "second", DAY, "*.db.example.com").write(file("second.crt"), file("second.key"), false);
        authority
                .issue("RSA", "third", DAY, "*.db.example.com", "other.example.org")
                .write(file("third.crt"), file("third.key"), false);
        Files.writeString(file("authority.crt"), TestCertificates.pem(authority.certificate));
    }

    private static Path file(String name) {
        return directory.resolve(name);
    }

    private static TlsSettings.Certificate certificate(String name) {
        return new TlsSettings.Certificate(file(name + ".crt"), file(name + ".key"));
    }

    private static TlsSettings settings(Optional<TlsSettings.ClientCertificates> clients, String... names) {
        return new TlsSettings.Files(
                java.util.Arrays.stream(names).map(TlsIT::certificate).toList(), clients);
    }

    private static TlsSettings clients(boolean required) {
        return settings(Optional.of(new TlsSettings.ClientCertificates(file("authority.crt"), required)), "first");
    }

    private static ProxyServer start(TlsSettings tls) {
        return fixture.start(change(tls).build(), new MetricRegistry());
    }

    private static ProxyConfiguration.Builder change(TlsSettings tls) {
        return ProxyConfiguration.builder(fixture.configuration().listen(), tls);
    }

    private static String shown(ProxyServer proxy, String serverName) throws Exception {
        try (RawClient client = RawClient.overTls(proxy.address().getPort(), serverName)) {
            return client.serverCertificate().getSubjectX500Principal().getName();
        }
    }

    @Test
    void the_server_name_chooses_the_certificate_and_others_get_the_first() throws Exception {
        try (ProxyServer proxy = start(settings(Optional.empty(), "first", "second", "third"))) {
            assertThat(shown(proxy, "db.example.com")).isEqualTo("CN=first");
            assertThat(shown(proxy, "ep-main-1.db.example.com")).isIn("CN=second", "CN=third");
            assertThat(shown(proxy, "EP-Main-1.DB.example.com")).isIn("CN=second", "CN=third");
            assertThat(shown(proxy, "other.example.org")).isEqualTo("CN=third");
            assertThat(shown(proxy, "a.b.db.example.com")).isEqualTo("CN=first");
            assertThat(shown(proxy, "elsewhere.example.net")).isEqualTo("CN=first");
        }
    }

    @Test
    void the_channel_is_bound_to_the_certificate_that_was_shown() throws Exception {
        try (ProxyServer proxy = start(settings(Optional.empty(), "first", "second"))) {
            for (String name : List.of("db.example.com", "ep-main-1.db.example.com")) {
                try (RawClient client = RawClient.overTls(proxy.address().getPort(), name)) {
                    RawClient.Reply reply = new RawLogin(ProxyFixture.PASSWORD)
                            .boundTo(client.serverCertificate())
                            .run(client, RawClient.V3_0, "alice", "shop");
                    assertThat(reply.type()).as(name).isEqualTo('R');
                    client.message('Q', "select 'through'\0".getBytes(UTF_8));
                    assertThat(client.readUntil('D').text()).contains("through");
                }
            }
        }
    }

    private static char login(ProxyServer proxy, String password, KeyManager... certificate) throws Exception {
        try (RawClient client = RawClient.overTls(proxy.address().getPort(), "db.example.com", certificate)) {
            return client.authenticate("alice", password, "shop").type();
        } catch (javax.net.ssl.SSLException | java.net.SocketException _) {
            // TLS 1.3 tells a client of a refused certificate only after its handshake, TLS 1.2 in it.
            return 0;
        }
    }

    @Test
    void where_client_certificates_are_required_one_of_the_authority_is_needed_besides_the_password() throws Exception {
        KeyManager[] good = authority.issue("EC", "till 1", DAY).keyManagers();
        KeyManager[] expired =
                authority.issue("EC", "old till", Duration.ofHours(-1)).keyManagers();
        KeyManager[] foreign =
                new TestCertificates("somebody else").issue("EC", "till 1", DAY).keyManagers();
        try (ProxyServer proxy = start(clients(true))) {
            assertThat(login(proxy, ProxyFixture.PASSWORD, good)).isEqualTo('R');
            assertThat(login(proxy, "wrong", good)).isEqualTo('E');
            assertThat(login(proxy, ProxyFixture.PASSWORD)).isEqualTo((char) 0);
            assertThat(login(proxy, ProxyFixture.PASSWORD, expired)).isEqualTo((char) 0);
            assertThat(login(proxy, ProxyFixture.PASSWORD, foreign)).isEqualTo((char) 0);
        }
    }

    @Test
    void where_they_are_optional_one_that_is_shown_is_verified() throws Exception {
        KeyManager[] good = authority.issue("RSA", "till 2", DAY).keyManagers();
        KeyManager[] foreign =
                new TestCertificates("somebody else").issue("EC", "till 2", DAY).keyManagers();
        try (ProxyServer proxy = start(clients(false))) {
            assertThat(login(proxy, ProxyFixture.PASSWORD, good)).isEqualTo('R');
            assertThat(login(proxy, ProxyFixture.PASSWORD)).isEqualTo('R');
            // A client does not show a certificate that the server has not asked for; ours does not choose.
            assertThat(login(proxy, ProxyFixture.PASSWORD, foreign)).isIn('R', (char) 0);
        }
    }

    @Test
    void a_reload_changes_certificates_and_limits_for_those_who_come_then() throws Exception {
        try (ProxyServer proxy = start(settings(Optional.empty(), "first"));
                RawClient before = new RawClient(proxy.address().getPort())) {
            assertThat(before.authenticate("alice", ProxyFixture.PASSWORD, "shop")
                            .type())
                    .isEqualTo('R');
            proxy.reload(change(settings(Optional.empty(), "third"))
                    .allowedAddresses(AddressRanges.parse(List.of("192.0.2.1")))
                    .build());
            assertThat(shown(proxy, "db.example.com")).isEqualTo("CN=third");
            try (RawClient after = new RawClient(proxy.address().getPort())) {
                assertThat(after.authenticate("alice", ProxyFixture.PASSWORD, "shop")
                                .text())
                        .contains("28000");
            }
            before.readUntil('Z');
            before.message('Q', "select 'still here'\0".getBytes(UTF_8));
            assertThat(before.readUntil('D').text()).contains("still here");
        }
    }

    @Test
    void a_reload_with_a_certificate_that_is_none_changes_nothing() throws Exception {
        Path mismatch = file("first.crt");
        try (ProxyServer proxy = start(settings(Optional.empty(), "first"))) {
            TlsSettings wrong = new TlsSettings.Files(mismatch, file("second.key"));
            assertThatThrownBy(() -> proxy.reload(change(wrong)
                            .allowedAddresses(AddressRanges.parse(List.of("192.0.2.1")))
                            .build()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("second.key");
            assertThat(shown(proxy, "db.example.com")).isEqualTo("CN=first");
            assertThat(login(proxy, ProxyFixture.PASSWORD)).isEqualTo('R');
        }
    }
}
