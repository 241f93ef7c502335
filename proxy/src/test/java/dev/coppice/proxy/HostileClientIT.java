package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Clients that do not play by the rules: each gets an answer or a close, and wakes nothing. */
class HostileClientIT {
    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    @Test
    void garbage_is_closed() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.send("hello, is there a Postgres?\r\n\r\n".getBytes(UTF_8));
            assertThat(client.read().text()).contains("08P01");
            assertThat(client.read().end()).isTrue();
        }
    }

    @Test
    void a_startup_packet_claiming_a_gigabyte_is_refused_at_its_header() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.send(ByteBuffer.allocate(4).putInt(1 << 30).array());
            assertThat(client.read().text()).contains("invalid length of startup packet");
            assertThat(client.read().end()).isTrue();
        }
    }

    @Test
    void an_authentication_message_claiming_a_gigabyte_is_refused_at_its_header() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.startup(RawClient.V3_0, "user", "alice", "database", "shop");
            assertThat(client.read().type()).isEqualTo('R');
            client.send(ByteBuffer.allocate(5).put((byte) 'p').putInt(1 << 30).array());
            assertThat(client.read().text()).contains("08P01");
            assertThat(client.read().end()).isTrue();
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void a_query_before_authentication_is_refused() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.startup(RawClient.V3_0, "user", "alice", "database", "shop");
            assertThat(client.read().type()).isEqualTo('R');
            client.message('Q', "select 1\0".getBytes(UTF_8));
            assertThat(client.read().text()).contains("08P01");
            assertThat(client.read().end()).isTrue();
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void bytes_in_clear_behind_an_ssl_request_are_refused() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.send(ByteBuffer.allocate(12)
                    .putInt(8)
                    .putInt(80877103)
                    .putInt(0x16030100)
                    .array());
            assertThat(client.read().text()).contains("unencrypted data");
            assertThat(client.read().end()).isTrue();
        }
    }

    @Test
    void gssapi_is_declined_and_tls_asked_for_after_it_is_not() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.send(ByteBuffer.allocate(8).putInt(8).putInt(80877104).array());
            assertThat(client.readByte()).isEqualTo('N');
            client.send(ByteBuffer.allocate(8).putInt(8).putInt(80877103).array());
            assertThat(client.readByte()).isEqualTo('S');
        }
    }

    @Test
    void half_open_connections_are_closed_at_the_deadline() throws Exception {
        var impatient =
                fixture.change().handshakeTimeout(Duration.ofMillis(300)).build();
        MetricRegistry registry = new MetricRegistry();
        try (ProxyServer proxy = fixture.start(impatient, registry);
                RawClient silent = new RawClient(proxy.address().getPort());
                RawClient slow = new RawClient(proxy.address().getPort())) {
            slow.startup(RawClient.V3_0, "user", "alice", "database", "shop");
            assertThat(slow.read().type()).isEqualTo('R');
            assertThat(slow.read().text()).contains("57014");
            assertThat(slow.read().end()).isTrue();
            assertThat(silent.read().end()).isTrue();
            await().untilAsserted(() -> assertThat(
                            registry.meter("proxy.outcomes.timeout").getCount())
                    .isEqualTo(2));
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void one_connection_too_many_is_told_so_and_cancels_are_still_heard() throws Exception {
        var small = fixture.change().maxConnections(1).build();
        try (ProxyServer proxy = fixture.start(small, new MetricRegistry());
                var first = ProxyFixture.connect(proxy.address().getPort(), "shop", "alice", ProxyFixture.PASSWORD);
                RawClient second = new RawClient(proxy.address().getPort())) {
            second.startup(RawClient.V3_0, "user", "alice", "database", "shop");
            assertThat(second.read().text()).contains("53300");
            assertThat(second.read().end()).isTrue();
            first.createStatement().cancel();
            assertThat(ProxyFixture.one(first, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void a_cancel_request_with_a_made_up_key_is_closed_and_wakes_nothing() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.send(ByteBuffer.allocate(16)
                    .putInt(16)
                    .putInt(80877102)
                    .putInt(4711)
                    .putInt(42)
                    .array());
            assertThat(client.read().end()).isTrue();
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void a_mock_salt_stays_the_same_per_user_and_differs_between_users() throws Exception {
        assertThat(salt("mallory")).isEqualTo(salt("mallory")).isNotEqualTo(salt("trudy"));
    }

    private static String salt(String user) throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.startup(RawClient.V3_0, "user", user, "database", "shop");
            client.read();
            byte[] first = "n,,n=,r=abc".getBytes(UTF_8);
            ByteBuffer initial = ByteBuffer.allocate(14 + 4 + first.length)
                    .put("SCRAM-SHA-256\0".getBytes(UTF_8))
                    .putInt(first.length)
                    .put(first);
            client.message('p', initial.array());
            String serverFirst = client.read().text();
            return serverFirst.substring(serverFirst.indexOf(",s="));
        }
    }

    @Test
    void newer_minor_versions_and_unknown_protocol_options_are_negotiated_down() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            client.startup(3 << 16 | 9, "user", "alice", "database", "shop", "_pq_.novelty", "on");
            RawClient.Reply negotiate = client.read();
            assertThat(negotiate.type()).isEqualTo('v');
            assertThat(negotiate.body())
                    .isEqualTo(ByteBuffer.allocate(21)
                            .putInt(3 << 16 | 2)
                            .putInt(1)
                            .put("_pq_.novelty\0".getBytes(UTF_8))
                            .flip());
            assertThat(client.read().type()).isEqualTo('R');
        }
    }

    @Test
    void early_queries_of_an_authenticated_client_are_kept_for_the_compute() throws Exception {
        try (RawClient client = new RawClient(fixture.port())) {
            var ok = client.authenticate("alice", ProxyFixture.PASSWORD, "shop");
            assertThat(ok.type()).isEqualTo('R');
            client.message('Q', "select 'early'\0".getBytes(UTF_8));
            assertThat(client.readUntil('D').text()).contains("early");
        }
    }
}
