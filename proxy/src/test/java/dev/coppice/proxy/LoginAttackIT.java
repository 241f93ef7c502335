package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.limit.RateLimits;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Logins that are wrong in one part, over the wire; none of them gets in or wakes a compute. */
class LoginAttackIT {
    private static final String PLUS = "SCRAM-SHA-256-PLUS";
    private static final String BOUND = "p=tls-server-end-point";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private static void assertRefused(RawClient client, RawLogin login, String sqlState) throws Exception {
        try (client) {
            RawClient.Reply reply = login.run(client, RawClient.V3_0, "alice", "shop");
            assertThat(reply.type()).isEqualTo('E');
            assertThat(reply.text()).contains("C" + sqlState);
            assertThat(client.read().end()).isTrue();
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    private static RawLogin login() {
        return new RawLogin(ProxyFixture.PASSWORD);
    }

    private static RawClient plain() throws IOException {
        return new RawClient(fixture.port());
    }

    private static RawClient tls() throws Exception {
        return RawClient.overTls(fixture.port(), "db.localhost");
    }

    @Test
    void a_name_cannot_forge_a_field_of_the_log() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger("dev.coppice.proxy.session.ClientConnection");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        Level before = logger.getLevel();
        logger.setLevel(Level.INFO);
        logger.addAppender(lines);
        try (RawClient client = new RawClient(fixture.port())) {
            String user = "bob database=secret outcome=ok reason=\"fine\"\n\u001b[2K";
            assertThat(client.authenticate(user, "x", "a\" outcome=session").type())
                    .isEqualTo('E');
            await().untilAsserted(() -> assertThat(lines.list)
                    .anySatisfy(line -> assertThat(line.getFormattedMessage())
                            .contains(" user=\"bob database=secret outcome=ok reason=\\\"fine\\\"\\u000A\\u001B[2K\" ")
                            .contains(" database=\"a\\\" outcome=session\" ")
                            .contains(" outcome=wrong-password reason=\"")));
        } finally {
            logger.detachAppender(lines);
            logger.setLevel(before);
        }
    }

    @Test
    void who_names_what_there_is_not_is_looked_for_all_the_same() throws Exception {
        fixture.directory.asked.clear();
        for (String database : List.of("shop@nowhere", "shop@ep-none-9", "shop@dev")) {
            try (RawClient client = new RawClient(fixture.port())) {
                assertThat(client.authenticate("alice", "wrong", database).text())
                        .contains("28P01");
            }
        }
        assertThat(fixture.directory.asked).containsExactly("nowhere", "ep-none-9", "ep-dev-2");
    }

    @Test
    void a_wrong_nonce_is_refused() throws Exception {
        assertRefused(plain(), login().nonce(nonce -> nonce + "x"), "08P01");
        assertRefused(plain(), login().nonce(nonce -> nonce.substring(0, nonce.length() - 1)), "08P01");
        assertRefused(plain(), login().nonce(_ -> ""), "08P01");
    }

    @Test
    void truncated_and_altered_proofs_are_refused() throws Exception {
        assertRefused(plain(), login().proof(_ -> ""), "08P01");
        assertRefused(plain(), login().proof(proof -> proof.substring(0, 20)), "08P01");
        assertRefused(plain(), login().proof(proof -> proof + proof), "08P01");
        assertRefused(plain(), login().proof(_ -> "!not base64!"), "08P01");
        assertRefused(plain(), login().proof(_ -> "A".repeat(43) + "="), "28P01");
        assertRefused(plain(), login().proof(_ -> "A".repeat(5000)), "08P01");
    }

    @Test
    void binding_to_another_certificate_or_none_is_refused() throws Exception {
        assertRefused(tls(), login().mechanism(PLUS, BOUND).binding(new byte[32]), "08P01");
        assertRefused(tls(), login().mechanism(PLUS, BOUND), "08P01");
        assertRefused(tls(), login().mechanism(PLUS, "n"), "08P01");
        assertRefused(tls(), login().mechanism(PLUS, "p=tls-unique"), "08P01");
        assertRefused(tls(), login().mechanism("SCRAM-SHA-256", BOUND), "08P01");
        assertRefused(tls(), login().mechanism("SCRAM-SHA-256", "n").binding(new byte[32]), "08P01");
        assertRefused(plain(), login().mechanism(PLUS, BOUND).binding(new byte[32]), "08P01");
    }

    @Test
    void a_downgrade_is_noticed_by_who_could_have_bound_the_channel() throws Exception {
        assertRefused(tls(), login().mechanism("SCRAM-SHA-256", "y"), "08P01");
        // In clear there is nothing to bind to, so nothing was removed from the offer.
        try (RawClient client = plain()) {
            assertThat(login().mechanism("SCRAM-SHA-256", "y")
                            .run(client, RawClient.V3_0, "alice", "shop")
                            .type())
                    .isEqualTo('R');
        }
        await().untilAsserted(() -> assertThat(fixture.open()).isZero());
    }

    @ParameterizedTest
    @ValueSource(strings = {"MD5", "PLAIN", "", "SCRAM-SHA-256-PLUS-PLUS"})
    void other_mechanisms_are_refused(String mechanism) throws Exception {
        assertRefused(plain(), login().mechanism(mechanism, "n"), "08P01");
    }

    @Test
    void a_startup_packet_that_comes_byte_by_byte_has_the_same_deadline() throws Exception {
        MetricRegistry metrics = new MetricRegistry();
        try (ProxyServer proxy = fixture.start(
                        fixture.change().handshakeTimeout(Duration.ofSeconds(1)).build(), metrics);
                RawClient slow = new RawClient(proxy.address().getPort())) {
            slow.send(new byte[] {0, 0, 0x20, 0, 0, 3, 0, 0});
            // Each byte is progress, and none prolongs the deadline.
            while (metrics.meter("proxy.outcomes.timeout").getCount() == 0) {
                try {
                    slow.send(new byte[] {'a'});
                } catch (IOException _) {
                    // Closed.
                }
                Thread.sleep(20);
            }
            assertThat(slow.read().end()).isTrue();
        }
    }

    @Test
    void ten_thousand_half_open_connections_cost_little_and_leave_room_for_others() throws Exception {
        int attackers = 10_000;
        MetricRegistry metrics = new MetricRegistry();
        byte[] halfAPacket = {0, 0, 0, 100, 0, 3, 0, 0, 'u', 's', 'e', 'r'};
        List<Socket> sockets = new ArrayList<>();
        try (ProxyServer proxy = fixture.start(
                        fixture.change().handshakeTimeout(Duration.ofMinutes(5)).build(), metrics);
                Socket other = new Socket()) {
            int port = proxy.address().getPort();
            for (int i = 0; i < attackers; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                sockets.add(socket);
                if (i % 2 == 0) {
                    writeWhereOpen(socket, halfAPacket);
                }
            }
            int held = RateLimits.DEFAULTS.unauthenticatedPerAddress();
            await().untilAsserted(() -> assertThat(
                            metrics.meter("proxy.outcomes.rate-limited").getCount())
                    .isEqualTo(attackers - held));
            assertThat(ProxyFixture.gauge(metrics, "proxy.connections.unauthenticated"))
                    .isEqualTo(held);
            var netty = ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric();
            assertThat(netty.usedDirectMemory() + netty.usedHeapMemory()).isLessThan(64L << 20);
            assertThat(fixture.directory.wakes).hasValue(0);
            // Who comes from elsewhere does not notice.
            other.bind(new InetSocketAddress("127.0.0.2", 0));
            other.connect(proxy.address());
            try (RawClient client = new RawClient(other)) {
                client.authenticate("alice", ProxyFixture.PASSWORD, "shop");
                client.message('Q', "select 'room'\0".getBytes(UTF_8));
                assertThat(client.readUntil('D').text()).contains("room");
            }
            for (Socket socket : sockets) {
                socket.close();
            }
            await().untilAsserted(() -> assertThat(ProxyFixture.open(metrics)).isZero());
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    private static void writeWhereOpen(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException _) {
            // Closed already: one too many.
        }
    }

    @Test
    void one_address_may_have_so_many_connections_that_have_proved_nothing() throws Exception {
        MetricRegistry metrics = new MetricRegistry();
        List<Socket> sockets = new ArrayList<>();
        try (ProxyServer proxy = fixture.start(
                fixture.change().rateLimits(new RateLimits(0, 0, 0, 10)).build(), metrics)) {
            int port = proxy.address().getPort();
            try (var known = ProxyFixture.connect(port, "shop", "alice", ProxyFixture.PASSWORD)) {
                for (int i = 0; i < 50; i++) {
                    sockets.add(new Socket(InetAddress.getLoopbackAddress(), port));
                }
                await().untilAsserted(() -> assertThat(
                                metrics.meter("proxy.outcomes.rate-limited").getCount())
                        .isEqualTo(40));
                assertThat(ProxyFixture.gauge(metrics, "proxy.connections.unauthenticated"))
                        .isEqualTo(10);
                assertThat(ProxyFixture.one(known, "select 1")).isEqualTo("1");
                for (Socket socket : sockets) {
                    socket.close();
                }
                await().untilAsserted(() -> assertThat(ProxyFixture.gauge(metrics, "proxy.connections.unauthenticated"))
                        .isZero());
                // Those that have left, or have proved their password, leave room for others.
                for (int i = 0; i < 30; i++) {
                    ProxyFixture.connect(port, "shop", "alice", ProxyFixture.PASSWORD)
                            .close();
                }
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
