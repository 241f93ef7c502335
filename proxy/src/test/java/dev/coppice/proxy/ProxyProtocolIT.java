package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.session.ProxyProtocol;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections through a load balancer that says where they come from. */
class ProxyProtocolIT {
    private static final byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 'Q', 'U', 'I', 'T', 0x0A};
    private static final String ALLOWED = "203.0.113.7";
    private static final String ALLOWED_6 = "2001:db8::7";

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private final MetricRegistry metrics = new MetricRegistry();
    private ProxyServer proxy = fixture.proxy;

    private int start(ProxyProtocol.Mode mode, String trusted, RateLimits rates) {
        proxy = fixture.start(
                fixture.change()
                        .proxyProtocol(new ProxyProtocol(mode, AddressRanges.parse(List.of(trusted))))
                        .allowedAddresses(AddressRanges.parse(List.of("203.0.113.0/24", ALLOWED_6, "127.0.0.1")))
                        .rateLimits(rates)
                        .build(),
                metrics);
        return proxy.address().getPort();
    }

    private int start(ProxyProtocol.Mode mode) {
        return start(mode, "127.0.0.0/8", RateLimits.DEFAULTS);
    }

    @AfterEach
    void stop() {
        proxy.close();
    }

    /** Version 2, TCP, command PROXY. */
    private static byte[] header(String source) throws IOException {
        byte[] address = InetAddress.getByName(source).getAddress();
        ByteBuffer addresses = ByteBuffer.allocate(2 * address.length + 4)
                .put(address)
                .put(address)
                .putShort((short) 40_000)
                .putShort((short) 5433);
        return header(0x21, address.length == 4 ? 0x11 : 0x21, addresses.array());
    }

    private static byte[] header(int versionAndCommand, int family, byte[] rest) {
        return ByteBuffer.allocate(SIGNATURE.length + 4 + rest.length)
                .put(SIGNATURE)
                .put((byte) versionAndCommand)
                .put((byte) family)
                .putShort((short) rest.length)
                .put(rest)
                .array();
    }

    private static RawClient.Reply login(int port, byte[] header, String password) throws Exception {
        try (RawClient client = new RawClient(port)) {
            client.send(header);
            return client.authenticate("alice", password, "shop");
        }
    }

    private static RawClient.Reply login(int port, byte[] header) throws Exception {
        return login(port, header, ProxyFixture.PASSWORD);
    }

    @Test
    void the_address_in_the_header_is_the_clients() throws Exception {
        int port = start(ProxyProtocol.Mode.REQUIRED);
        assertThat(login(port, header(ALLOWED)).type()).isEqualTo('R');
        assertThat(login(port, header(ALLOWED_6)).type()).isEqualTo('R');
        assertThat(login(port, header("198.51.100.9")).text())
                .contains("28000")
                .contains("connections from 198.51.100.9 are not allowed");
    }

    @Test
    void version_1_is_understood() throws Exception {
        int port = start(ProxyProtocol.Mode.REQUIRED);
        assertThat(login(port, ("PROXY TCP4 " + ALLOWED + " 127.0.0.1 40000 5433\r\n").getBytes(US_ASCII))
                        .type())
                .isEqualTo('R');
        assertThat(login(port, "PROXY TCP4 198.51.100.9 127.0.0.1 40000 5433\r\n".getBytes(US_ASCII))
                        .text())
                .contains("198.51.100.9");
    }

    @Test
    void a_load_balancer_that_speaks_for_itself_has_its_own_address() throws Exception {
        int port = start(ProxyProtocol.Mode.REQUIRED);
        assertThat(login(port, header(0x20, 0, new byte[0])).type()).isEqualTo('R');
        assertThat(login(port, "PROXY UNKNOWN\r\n".getBytes(US_ASCII)).type()).isEqualTo('R');
    }

    @Test
    void a_header_may_come_in_pieces() throws Exception {
        int port = start(ProxyProtocol.Mode.REQUIRED);
        try (RawClient client = new RawClient(port)) {
            for (byte each : header(ALLOWED)) {
                client.send(new byte[] {each});
                Thread.sleep(1);
            }
            assertThat(client.authenticate("alice", ProxyFixture.PASSWORD, "shop")
                            .type())
                    .isEqualTo('R');
        }
    }

    @Test
    void limits_count_the_clients_address() throws Exception {
        int port = start(ProxyProtocol.Mode.REQUIRED, "127.0.0.1", new RateLimits(0, 0, 1, 0));
        assertThat(login(port, header(ALLOWED), "wrong").text()).contains("28P01");
        assertThat(login(port, header(ALLOWED)).text()).contains("53300");
        assertThat(login(port, header("203.0.113.8")).type()).isEqualTo('R');
    }

    @Test
    void without_a_header_nobody_is_heard_where_one_is_required() throws Exception {
        int port = start(ProxyProtocol.Mode.REQUIRED);
        try (RawClient client = new RawClient(port)) {
            client.startup(RawClient.V3_0, "user", "alice", "database", "shop");
            assertThat(client.read().end()).isTrue();
        }
        proxy.close();
        int stranger = start(ProxyProtocol.Mode.REQUIRED, "192.0.2.1", RateLimits.DEFAULTS);
        try (RawClient client = new RawClient(stranger)) {
            assertThat(client.read().end()).isTrue();
        }
    }

    @Test
    void where_it_is_optional_direct_clients_get_in_and_only_the_trusted_are_believed() throws Exception {
        int port = start(ProxyProtocol.Mode.OPTIONAL);
        assertThat(login(port, new byte[0]).type()).isEqualTo('R');
        assertThat(login(port, header(ALLOWED)).type()).isEqualTo('R');
        assertThat(login(port, header("198.51.100.9")).text()).contains("28000");
        try (var connection =
                ProxyFixture.connect(port, "shop", "alice", ProxyFixture.PASSWORD, "sslmode", "require")) {
            assertThat(ProxyFixture.one(connection, "select 1")).isEqualTo("1");
        }
        proxy.close();
        int stranger = start(ProxyProtocol.Mode.OPTIONAL, "192.0.2.1", RateLimits.DEFAULTS);
        assertThat(login(stranger, header(ALLOWED)).text()).contains("08P01");
        assertThat(login(stranger, new byte[0]).type()).isEqualTo('R');
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x11, 0x3F, 0x22, 0xFF})
    void a_malformed_header_ends_the_connection(int versionAndCommand) throws Exception {
        int port = start(ProxyProtocol.Mode.OPTIONAL);
        for (byte[] rest : new byte[][] {{}, {1, 2, 3}, new byte[4000], new byte[60_000]}) {
            try (RawClient client = new RawClient(port)) {
                client.send(header(versionAndCommand, 0x11, rest));
                assertThat(client.read().end()).isTrue();
            } catch (java.net.SocketException _) {
                // Closed while it was still sending.
            }
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }
}
