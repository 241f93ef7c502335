package dev.coppice.proxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.route.ComputeSocket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random and mutated bytes into the whole pre-session pipeline; the seed of a failing round is in its message. */
class SessionFuzzTest {
    private static final int ROUNDS = 2_000;

    @TempDir
    private static Path directory;

    private FrontDoor door;
    private SessionServices services;

    @AfterEach
    void close() {
        door.close();
    }

    @BeforeEach
    void prepare() {
        door = new FrontDoor(directory);
        services = door.services;
    }

    /** Sends the bytes in pieces of random length. */
    private void send(EmbeddedChannel channel, byte[] bytes, Random random) {
        int position = 0;
        while (position < bytes.length && channel.isOpen()) {
            int length = 1 + random.nextInt(Math.min(bytes.length - position, 64));
            door.sendPiece(channel, bytes, position, length);
            position += length;
        }
    }

    private interface Conversation {
        void hold(EmbeddedChannel channel, Random random);
    }

    private void rounds(Conversation conversation) {
        long firstSeed = Long.getLong("coppice.seed", System.nanoTime());
        for (long seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
            Random random = new Random(seed);
            String round = "-Dcoppice.seed=" + seed;
            EmbeddedChannel channel = door.open();
            try {
                conversation.hold(channel, random);
                door.assertEndsWithoutATrace(channel);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(round, e);
            }
        }
    }

    private static byte[] randomBytes(Random random, int maxLength) {
        byte[] bytes = new byte[random.nextInt(maxLength)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] mutated(byte[] bytes, Random random) {
        byte[] copy = bytes.clone();
        int changes = random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            copy[random.nextInt(copy.length)] = (byte) random.nextInt();
        }
        return copy;
    }

    private static byte[] startup() {
        byte[] body = "user\0alice\0database\0shop\0options\0-c a=b\0\0".getBytes(UTF_8);
        ByteBuf packet =
                Unpooled.buffer().writeInt(8 + body.length).writeInt(3 << 16).writeBytes(body);
        byte[] bytes = new byte[packet.readableBytes()];
        packet.readBytes(bytes);
        return bytes;
    }

    private static byte[] saslInitial() {
        byte[] first = "n,,n=,r=clientnonce".getBytes(UTF_8);
        ByteBuf packet = Unpooled.buffer()
                .writeByte('p')
                .writeInt(4 + 14 + 4 + first.length)
                .writeBytes("SCRAM-SHA-256\0".getBytes(UTF_8))
                .writeInt(first.length)
                .writeBytes(first);
        byte[] bytes = new byte[packet.readableBytes()];
        packet.readBytes(bytes);
        return bytes;
    }

    @Test
    void random_bytes_end_in_a_close() {
        rounds((channel, random) -> send(channel, randomBytes(random, 300), random));
    }

    @Test
    void random_bytes_behind_a_plausible_length_end_in_a_close() {
        rounds((channel, random) -> {
            byte[] bytes = randomBytes(random, 300);
            if (bytes.length > 8) {
                int[] codes = {3 << 16, 80877102, 80877103, 80877104, 3 << 16 | 2, random.nextInt()};
                ByteBuf header = Unpooled.wrappedBuffer(bytes).writerIndex(0);
                header.writeInt(bytes.length).writeInt(codes[random.nextInt(codes.length)]);
            }
            send(channel, bytes, random);
        });
    }

    @Test
    void mutated_startup_packets_end_in_a_close() {
        rounds((channel, random) -> {
            send(channel, mutated(startup(), random), random);
            send(channel, randomBytes(random, 50), random);
        });
    }

    @Test
    void mutated_authentication_ends_in_a_close() {
        rounds((channel, random) -> {
            send(channel, startup(), random);
            channel.runPendingTasks();
            send(channel, mutated(saslInitial(), random), random);
            channel.runPendingTasks();
            byte[] last = ("p\0\0\0\116c=biws,r=clientnonce,p=" + "A".repeat(50)).getBytes(UTF_8);
            send(channel, mutated(last, random), random);
        });
    }

    private static byte[] cancelRequest(CancelKey key) {
        byte[] secret = key.secret();
        return ByteBuffer.allocate(12 + secret.length)
                .putInt(12 + secret.length)
                .putInt(80877102)
                .putInt(key.processId())
                .put(secret)
                .array();
    }

    @Test
    void damaged_cancel_requests_end_in_a_close() {
        CancelKey good = services.cancelKeys()
                .add(
                        new ComputeSocket(Path.of("/nowhere"), 0, 1),
                        new CancelKey(7, new byte[] {1, 2, 3, 4}),
                        ProtocolVersion.V3_2);
        rounds((channel, random) -> {
            byte[] request = cancelRequest(good);
            byte[] damaged = mutated(request, random);
            // Behind the length and the code: process id and secret.
            damaged[8 + random.nextInt(request.length - 8)] ^= (byte) (1 + random.nextInt(255));
            send(channel, damaged, random);
        });
    }

    @Test
    void cancel_requests_with_made_up_keys_end_in_a_close() {
        rounds((channel, random) -> {
            byte[] secret = new byte[4 + random.nextInt(253)];
            random.nextBytes(secret);
            // As ours begin.
            secret[0] = 1;
            send(channel, cancelRequest(new CancelKey(random.nextInt(), secret)), random);
        });
    }

    @Test
    void mutated_proxy_protocol_headers_end_in_a_close() {
        byte[] header = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a" + "2111000c" + "cb007107cb0071079c401539");
        for (ProxyProtocol.Mode mode : List.of(ProxyProtocol.Mode.OPTIONAL, ProxyProtocol.Mode.REQUIRED)) {
            door.proxyProtocol(mode);
            rounds((channel, random) -> {
                send(channel, mutated(header, random), random);
                send(channel, mutated(startup(), random), random);
                send(channel, randomBytes(random, 50), random);
            });
        }
    }

    @Test
    void random_bytes_in_place_of_a_proxy_protocol_header_end_in_a_close() {
        door.proxyProtocol(ProxyProtocol.Mode.REQUIRED);
        rounds((channel, random) -> {
            byte[] bytes = randomBytes(random, 300);
            byte[] begin = random.nextBoolean()
                    ? "PROXY ".getBytes(UTF_8)
                    : HexFormat.of().parseHex("0d0a0d0a000d0a515549540a");
            System.arraycopy(begin, 0, bytes, 0, Math.min(begin.length, bytes.length));
            send(channel, bytes, random);
        });
    }

    @Test
    void random_bytes_in_a_tls_handshake_end_in_a_close() {
        rounds((channel, random) -> {
            byte[] bytes = randomBytes(random, 300);
            if (bytes.length > 0) {
                bytes[0] = 0x16;
            }
            send(channel, bytes, random);
        });
    }

    @Test
    void an_ssl_request_is_answered_and_its_handshake_awaited() {
        rounds((channel, random) -> {
            send(channel, new byte[] {0, 0, 0, 8, 4, (byte) 0xD2, 0x16, 0x2F}, random);
            ByteBuf answer = channel.readOutbound();
            assertThat(answer.toString(UTF_8)).isEqualTo("S");
            answer.release();
            send(channel, randomBytes(random, 300), random);
        });
    }
}
