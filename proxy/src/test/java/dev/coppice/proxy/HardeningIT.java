package dev.coppice.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.tls.TlsSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What keeps strangers from doing harm, and the operator in charge. */
class HardeningIT {
    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private static void assertRefused(int port, String password, String sqlState, String... properties) {
        assertThatThrownBy(() -> ProxyFixture.connect(port, "shop", "alice", password, properties)
                        .close())
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo(sqlState));
    }

    @Test
    void an_address_outside_the_list_is_told_so_and_wakes_nothing() {
        ProxyConfiguration configuration = fixture.change()
                .allowedAddresses(AddressRanges.parse(List.of("192.0.2.0/24")))
                .build();
        try (ProxyServer proxy = fixture.start(configuration, new MetricRegistry())) {
            assertRefused(proxy.address().getPort(), ProxyFixture.PASSWORD, "28000");
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void who_guesses_passwords_is_refused_even_with_the_right_one() {
        ProxyConfiguration configuration =
                fixture.change().rateLimits(new RateLimits(0, 0, 5, 0)).build();
        try (ProxyServer proxy = fixture.start(configuration, new MetricRegistry())) {
            for (int i = 0; i < 5; i++) {
                assertRefused(proxy.address().getPort(), "guess " + i, "28P01");
            }
            assertRefused(proxy.address().getPort(), ProxyFixture.PASSWORD, "53300");
        }
    }

    @Test
    void a_password_may_name_the_endpoint_where_nothing_else_does() throws Exception {
        fixture.directory.defaults.add(ProxyFixture.DEV);
        try {
            for (char separator : new char[] {';', '$'}) {
                String password = "endpoint=ep-dev-2" + separator + ProxyFixture.PASSWORD;
                try (Connection connection =
                        ProxyFixture.connect(fixture.port(), "shop", "alice", password, "sslmode", "require")) {
                    assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
                }
            }
            String pooled = "endpoint=ep-dev-2-pooler;" + ProxyFixture.PASSWORD;
            try (Connection connection =
                    ProxyFixture.connect(fixture.port(), "shop", "alice", pooled, "sslmode", "require")) {
                assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
            }
            assertThat(fixture.directory.woken).containsOnly("ep-dev-2");
            assertRefused(fixture.port(), "endpoint=ep-dev-2;wrong", "28P01", "sslmode", "require");
            assertRefused(fixture.port(), "endpoint=ep-nowhere-9;wrong", "28P01", "sslmode", "require");
            assertRefused(fixture.port(), ProxyFixture.PASSWORD, "08004", "sslmode", "require");
            // In clear nobody is asked for a password as it is.
            assertRefused(fixture.port(), "endpoint=ep-dev-2;" + ProxyFixture.PASSWORD, "08004");
        } finally {
            fixture.directory.defaults.remove(ProxyFixture.DEV);
        }
    }

    @Test
    void half_open_connections_leave_room_and_end() throws Exception {
        ProxyConfiguration configuration = fixture.change()
                .maxConnections(400)
                .handshakeTimeout(Duration.ofSeconds(3))
                .build();
        MetricRegistry metrics = new MetricRegistry();
        List<Socket> sockets = new ArrayList<>();
        try (ProxyServer proxy = fixture.start(configuration, metrics)) {
            for (int i = 0; i < 1000; i++) {
                try {
                    Socket socket = new Socket(
                            InetAddress.getLoopbackAddress(), proxy.address().getPort());
                    sockets.add(socket);
                    // The beginning of a startup packet that never comes to its end.
                    socket.getOutputStream().write(new byte[] {0, 0, 0});
                } catch (IOException _) {
                    // Closed by the proxy already.
                }
            }
            assertThat(ProxyFixture.open(metrics)).isLessThanOrEqualTo(200);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(ProxyFixture.open(metrics)).isZero());
            try (Connection connection =
                    ProxyFixture.connect(proxy.address().getPort(), "shop", "alice", ProxyFixture.PASSWORD)) {
                assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void a_replaced_certificate_is_shown_without_a_restart() throws Exception {
        Path certificate = fixture.tlsDirectory.resolve("server.crt");
        Path key = fixture.tlsDirectory.resolve("server.key");
        Path other = Files.createTempDirectory(TestDirectories.base(), "tls-other-");
        try {
            dev.coppice.proxy.tls.TlsIdentity.load(new TlsSettings.SelfSigned(other), java.time.Clock.systemUTC());
            Files.move(other.resolve("server.key"), key, StandardCopyOption.REPLACE_EXISTING);
            Files.move(other.resolve("server.crt"), certificate, StandardCopyOption.REPLACE_EXISTING);
            try (var in = Files.newInputStream(certificate)) {
                assertThat(CertificateFactory.getInstance("X.509").generateCertificate(in))
                        .isNotNull();
            }
            Awaitility.await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> {
                try (Connection connection = fixture.connect(
                        "shop",
                        "sslmode",
                        "verify-full",
                        "sslrootcert",
                        certificate.toString(),
                        "channelBinding",
                        "require")) {
                    assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
                }
            });
        } finally {
            TestDirectories.delete(other);
        }
    }

    @Test
    void a_stopping_proxy_lets_transactions_end_and_no_longer() throws Exception {
        ProxyConfiguration configuration =
                fixture.change().drainTimeout(Duration.ofSeconds(60)).build();
        ProxyServer proxy = fixture.start(configuration, new MetricRegistry());
        int port = proxy.address().getPort();
        try (Connection idle = ProxyFixture.connect(port, "shop", "alice", ProxyFixture.PASSWORD);
                Connection busy = ProxyFixture.connect(port, "shop", "alice", ProxyFixture.PASSWORD);
                Connection pooled = ProxyFixture.connect(
                        port, "shop", "alice", ProxyFixture.PASSWORD, "options", "endpoint=ep-main-1-pooler")) {
            busy.setAutoCommit(false);
            pooled.setAutoCommit(false);
            ProxyFixture.one(busy, "select 1");
            ProxyFixture.one(pooled, "select 1");
            CompletableFuture<Void> closed = CompletableFuture.runAsync(proxy::close);
            Awaitility.await()
                    .untilAsserted(() -> assertThatThrownBy(() -> ProxyFixture.one(idle, "select 1"))
                            .isInstanceOf(SQLException.class));
            assertThat(ProxyFixture.one(busy, "select 2")).isEqualTo("2");
            assertThat(ProxyFixture.one(pooled, "select 2")).isEqualTo("2");
            assertThat(closed).isNotDone();
            busy.commit();
            pooled.commit();
            closed.get();
        }
    }
}
