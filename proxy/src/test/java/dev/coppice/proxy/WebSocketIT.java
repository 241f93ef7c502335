package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The wire protocol inside a WebSocket, everything sent ahead in one frame, as the npm package does it. */
@Timeout(60)
class WebSocketIT {
    private static final int PROTOCOL_3_0 = 0x30000;
    private static final int SSL_REQUEST = 80877103;

    @RegisterExtension
    static final ProxyFixture fixture = new ProxyFixture();

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** Collects what comes until the end. */
    private static final class Collector implements WebSocket.Listener {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final CompletableFuture<Integer> closed = new CompletableFuture<>();

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            synchronized (bytes) {
                byte[] piece = new byte[data.remaining()];
                data.get(piece);
                bytes.writeBytes(piece);
            }
            socket.request(1);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            closed.complete(code);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            closed.complete(-1);
        }

        String text() {
            synchronized (bytes) {
                return bytes.toString(UTF_8);
            }
        }

        int code() throws Exception {
            return closed.get(30, TimeUnit.SECONDS);
        }
    }

    @AfterAll
    static void stop() {
        CLIENT.close();
    }

    private static WebSocket open(String pathAndQuery, Collector collector) throws Exception {
        return CLIENT.newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + fixture.port() + pathAndQuery), collector)
                .get(30, TimeUnit.SECONDS);
    }

    private static byte[] startup(String password, String... queries) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (String text : new String[] {"user", "alice", "database", "shop", ""}) {
            body.writeBytes((text + '\0').getBytes(UTF_8));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(8 + body.size());
        out.writeInt(PROTOCOL_3_0);
        body.writeTo(out);
        out.write(message('p', password));
        for (String query : queries) {
            out.write(message('Q', query));
        }
        return bytes.toByteArray();
    }

    private static byte[] message(char type, String text) {
        byte[] content = text.getBytes(UTF_8);
        return ByteBuffer.allocate(6 + content.length)
                .put((byte) type)
                .putInt(5 + content.length)
                .put(content)
                .array();
    }

    private static String value(String query) throws Exception {
        try (var connection = fixture.connect("shop")) {
            return ProxyFixture.one(connection, query);
        }
    }

    @Test
    void a_masked_role_comes_to_its_view() throws Exception {
        fixture.directory.masked.add("alice");
        try {
            Collector collector = new Collector();
            WebSocket socket = open("/v2?address=ep-main-1.localhost:5432", collector);
            socket.sendBinary(ByteBuffer.wrap(startup(ProxyFixture.PASSWORD, "select 'answer ' || 42")), true);
            await().until(() -> collector.text().contains("answer 42"));
            socket.abort();
            assertThat(fixture.directory.woken).containsOnly("ep-main-1~masked");
        } finally {
            fixture.directory.masked.clear();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/v2?address=ep-main-1.localhost:5432", "/v2?address=ep-main-1-pooler.localhost:5432", "/v2"})
    void a_login_and_a_query_in_one_frame_are_answered(String path) throws Exception {
        Collector collector = new Collector();
        WebSocket socket = open(path, collector);
        // Longer than what a proxy keeps of a client that it has not let in yet.
        String query = "select 'answer ' || 42 /*" + "x".repeat(100_000) + "*/";
        socket.sendBinary(ByteBuffer.wrap(startup(ProxyFixture.PASSWORD, query)), true);
        await().until(() -> collector.text().contains("answer 42"));
        socket.sendBinary(ByteBuffer.wrap(message('Q', "select 'again ' || 43")), true);
        await().until(() -> collector.text().contains("again 43"));
        socket.sendBinary(ByteBuffer.wrap(new byte[] {'X', 0, 0, 0, 4}), true);
        assertThat(collector.code()).isEqualTo(WebSocket.NORMAL_CLOSURE);
    }

    @Test
    void results_of_any_size_pass() throws Exception {
        Collector collector = new Collector();
        WebSocket socket = open("/v2", collector);
        socket.sendBinary(
                ByteBuffer.wrap(startup(ProxyFixture.PASSWORD, "select repeat('y', 20000000) || 'the end'")), true);
        await().until(() -> collector.text().contains("the end"));
        assertThat(collector.text().length()).isGreaterThan(20_000_000);
        socket.abort();
    }

    @Test
    void a_wrong_password_is_told_in_the_protocol_and_wakes_nothing() throws Exception {
        for (String path : new String[] {"/v2?address=ep-main-1.localhost", "/v2?address=ep-unknown-9.localhost"}) {
            Collector collector = new Collector();
            WebSocket socket = open(path, collector);
            String password = path.contains("unknown") ? ProxyFixture.PASSWORD : "wrong";
            socket.sendBinary(ByteBuffer.wrap(startup(password, "select 1")), true);
            assertThat(collector.code()).isEqualTo(WebSocket.NORMAL_CLOSURE);
            assertThat(collector.text()).contains("28P01").doesNotContain("CommandComplete");
        }
        assertThat(fixture.directory.wakes).hasValue(0);
    }

    @Test
    void encryption_inside_is_declined_and_text_frames_end_it() throws Exception {
        Collector collector = new Collector();
        WebSocket socket = open("/v2", collector);
        socket.sendBinary(ByteBuffer.allocate(8).putInt(8).putInt(SSL_REQUEST).flip(), true);
        await().until(() -> collector.text().equals("N"));
        socket.sendText("select 1", true);
        assertThat(collector.code()).isEqualTo(1003);
    }

    @Test
    void a_client_that_vanishes_leaves_nothing_behind() throws Exception {
        Collector collector = new Collector();
        WebSocket socket = open("/v2", collector);
        socket.sendBinary(
                ByteBuffer.wrap(startup(ProxyFixture.PASSWORD, "begin", "select 'in it' /* websocket */")), true);
        await().until(() -> collector.text().contains("in it"));
        String others =
                "select count(*) from pg_stat_activity where query like '%/* websocket */' and pid <> pg_backend_pid()";
        assertThat(value(others)).isEqualTo("1");
        socket.abort();
        await().until(() -> value(others).equals("0"));
    }
}
