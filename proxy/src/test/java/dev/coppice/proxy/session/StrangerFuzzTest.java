package dev.coppice.proxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.coppice.proxy.Mutations;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever comes before a session. Each input begins with a byte that says how long the pieces are in which the rest comes. {@code
 * docs/fuzzing.md} says how the fuzzer is run.
 */
class StrangerFuzzTest {
    private static final int ROUNDS = 2_000;
    private static final byte WHOLE = 0;
    private static final byte PIECES = 7;
    private static final String CONNECTION = "postgresql://alice:secret@localhost/shop";

    @TempDir
    static Path directory;

    private FrontDoor door;

    @AfterEach
    void close() {
        door.close();
    }

    @BeforeEach
    void prepare() {
        door = new FrontDoor(directory);
    }

    private static byte[] join(Object... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            switch (part) {
                case byte[] bytes -> out.writeBytes(bytes);
                case String text -> out.writeBytes(text.getBytes(UTF_8));
                case Byte one -> out.write(one);
                case Integer number ->
                    out.writeBytes(
                            ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
                default -> throw new IllegalArgumentException(part.toString());
            }
        }
        return out.toByteArray();
    }

    private static byte[] packet(int code, String body) {
        return join(8 + body.length(), code, body);
    }

    private static byte[] message(String body) {
        return join((byte) 'p', 4 + body.length(), body);
    }

    private static byte[] saslInitial(String mechanism, String first) {
        byte[] body = join(mechanism + "\0", first.length(), first);
        return join((byte) 'p', 4 + body.length, body);
    }

    private static final byte[] STARTUP = packet(3 << 16, "user\0alice\0database\0shop\0options\0-c a=b\0\0");
    private static final byte[] SSL_REQUEST = packet(80877103, "");
    private static final byte[] HEADER_2 =
            HexFormat.of().parseHex("0d0a0d0a000d0a515549540a" + "2111000c" + "cb007107cb0071079c401539");

    private static int pieceBytes(byte first, int length) {
        return first == WHOLE ? Math.max(1, length) : 1 + (first & 0x3F);
    }

    /** Sends what is behind the first byte. */
    private void send(EmbeddedChannel channel, byte[] input) {
        if (input.length > 1) {
            byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
            door.send(channel, bytes, pieceBytes(input[0], bytes.length));
        }
    }

    static List<byte[]> startupSeeds() {
        return List.of(
                join(WHOLE, STARTUP),
                join(PIECES, STARTUP, saslInitial("SCRAM-SHA-256", "n,,n=,r=abc")),
                join(
                        WHOLE,
                        packet(3 << 16 | 2, "user\0alice\0database\0shop@main\0_pq_.x\0y\0replication\0database\0\0")),
                join(WHOLE, packet(3 << 16, "user\0bob\0options\0endpoint=ep-a -c x=\\ y\0\0")),
                join(WHOLE, packet(3 << 16, "user\0bob\0database\0shop@main@2026-01-01T00:00:00Z\0\0")),
                join(WHOLE, packet(80877104, ""), SSL_REQUEST),
                join(WHOLE, SSL_REQUEST, HexFormat.of().parseHex("160301000500")),
                join(WHOLE, packet(80877102, "\0\0\0\7abcd")),
                join(WHOLE, HexFormat.of().parseHex("16030100a0010000a00303")));
    }

    @MethodSource("startupSeeds")
    @FuzzTest
    void startup(byte[] input) {
        EmbeddedChannel channel = door.open();
        send(channel, input);
        if (HttpStart.in(input)) {
            // Whoever speaks HTTP has another deadline, and is fuzzed below.
            door.assertLeavesWithoutATrace(channel);
        } else {
            door.assertEndsWithoutATrace(channel);
        }
    }

    /** An input that begins like a request. */
    private static final class HttpStart {
        static boolean in(byte[] input) {
            return input.length > 1 && input[1] >= 'A' && input[1] <= 'Z';
        }
    }

    static List<byte[]> saslSeeds() {
        String last = "c=biws,r=abc" + FrontDoor.NONCE + ",p=" + "A".repeat(43) + "=";
        return List.of(
                join(WHOLE, saslInitial("SCRAM-SHA-256", "n,,n=,r=abc"), message(last)),
                join(PIECES, saslInitial("SCRAM-SHA-256", "y,,n=alice,r=abc"), message("c=eSws" + last.substring(6))),
                join(WHOLE, saslInitial("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=abc"), message(last)),
                join(WHOLE, saslInitial("SCRAM-SHA-256", "n,a=x,n=,r=abc,x=y"), message(last + ",x=y")),
                join(WHOLE, (byte) 'p', 22, "SCRAM-SHA-256\0", -1, message("n,,n=,r=abc")),
                join(WHOLE, message("secret\0"), (byte) 'X', 4));
    }

    @MethodSource("saslSeeds")
    @FuzzTest
    void sasl(byte[] input) {
        EmbeddedChannel channel = door.open();
        door.send(channel, STARTUP, STARTUP.length);
        send(channel, input);
        door.assertEndsWithoutATrace(channel);
    }

    static List<byte[]> proxyHeaderSeeds() {
        return List.of(
                join(WHOLE, HEADER_2, STARTUP),
                join(PIECES, HEADER_2, STARTUP),
                join(WHOLE, "PROXY TCP4 203.0.113.7 203.0.113.8 40000 5432\r\n", STARTUP),
                join(PIECES, "PROXY UNKNOWN\r\n", STARTUP),
                join(WHOLE, "PROXY TCP6 2001:db8::1 2001:db8::2 40000 5432\r\n", STARTUP),
                join(WHOLE, HexFormat.of().parseHex("0d0a0d0a000d0a515549540a" + "20000000"), STARTUP),
                join(
                        WHOLE,
                        HexFormat.of()
                                .parseHex("0d0a0d0a000d0a515549540a" + "2111001b" + "cb007107cb0071079c401539"
                                        + "20000c0100000000" + "21000474657374"),
                        STARTUP));
    }

    @MethodSource("proxyHeaderSeeds")
    @FuzzTest
    void proxyHeader(byte[] input) {
        for (ProxyProtocol.Mode mode : List.of(ProxyProtocol.Mode.OPTIONAL, ProxyProtocol.Mode.REQUIRED)) {
            door.proxyProtocol(mode);
            EmbeddedChannel channel = door.open();
            send(channel, input);
            door.assertLeavesWithoutATrace(channel);
        }
    }

    private static String post(String body, String headers) {
        return "POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: " + CONNECTION + "\r\n" + headers
                + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    static List<byte[]> httpSeeds() {
        return List.of(
                join(WHOLE, post("{\"query\":\"select $1\",\"params\":[1]}", "")),
                join(
                        PIECES,
                        post(
                                "{\"queries\":[{\"query\":\"select 1\"}]}",
                                "Neon-Batch-Isolation-Level: Serializable\r\n")),
                join(WHOLE, post("{}", "Neon-Array-Mode: true\r\nExpect: 100-continue\r\n"), post("[", "")),
                join(
                        WHOLE,
                        "POST /sql HTTP/1.1\r\nNeon-Connection-String: " + CONNECTION
                                + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"que\r\n0\r\n\r\n"),
                join(WHOLE, "OPTIONS /sql HTTP/1.1\r\nOrigin: x\r\n\r\nGET /v2 HTTP/1.1\r\n\r\n"));
    }

    /** Logins are right here, and the compute cannot be woken: so much of each request as is possible without one. */
    @MethodSource("httpSeeds")
    @FuzzTest
    void http(byte[] input) {
        EmbeddedChannel channel = door.open();
        send(channel, input);
        door.assertLeavesWithoutATrace(channel);
    }

    private static byte[] frame(int first, byte[] payload) {
        byte[] masked = payload.clone();
        byte[] mask = {1, 2, 3, 4};
        for (int i = 0; i < masked.length; i++) {
            masked[i] ^= mask[i % mask.length];
        }
        return join((byte) first, (byte) (0x80 | 126), (byte) (masked.length >> 8), (byte) masked.length, mask, masked);
    }

    static List<byte[]> webSocketSeeds() {
        return List.of(
                join(WHOLE, frame(0x82, join(STARTUP, message("wrong\0")))),
                join(PIECES, frame(0x02, STARTUP), frame(0x89, new byte[] {1}), frame(0x80, message("wrong\0"))),
                join(WHOLE, frame(0x82, SSL_REQUEST), frame(0x8A, new byte[0]), frame(0x88, new byte[] {3, -24})),
                join(WHOLE, frame(0x81, STARTUP)));
    }

    @MethodSource("webSocketSeeds")
    @FuzzTest
    void webSocket(byte[] input) {
        EmbeddedChannel channel = door.open();
        byte[] handshake = join("GET /v2 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        door.send(channel, handshake, handshake.length);
        send(channel, input);
        door.assertEndsWithoutATrace(channel);
    }

    @Test
    void mutated_inputs_leave_no_trace() {
        record Target(List<byte[]> seeds, Consumer<byte[]> feed) {}
        List<Target> targets = List.of(
                new Target(startupSeeds(), this::startup),
                new Target(saslSeeds(), this::sasl),
                new Target(proxyHeaderSeeds(), this::proxyHeader),
                new Target(httpSeeds(), this::http),
                new Target(webSocketSeeds(), this::webSocket));
        for (Target target : targets) {
            door.close();
            prepare();
            Mutations.feed(ROUNDS, target.seeds, target.feed);
        }
    }
}
