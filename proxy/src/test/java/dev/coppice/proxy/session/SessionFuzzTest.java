package dev.coppice.proxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.FakeDirectory;
import dev.coppice.proxy.TestVerifiers;
import dev.coppice.proxy.auth.MockVerifiers;
import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.auth.PasswordChecker;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.http.HttpServices;
import dev.coppice.proxy.http.HttpSettings;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.LoginLimiter;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.pool.PoolMetrics;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.pool.Pools;
import dev.coppice.proxy.relay.ComputeAccess;
import dev.coppice.proxy.relay.ComputeConnector;
import dev.coppice.proxy.relay.Transport;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.tls.TlsSettings;
import dev.coppice.proxy.tls.TlsSource;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random and mutated bytes into the whole pre-session pipeline; the seed of a failing round is in its message. */
class SessionFuzzTest {
    private static final int ROUNDS = 2_000;
    private static final long HANDSHAKE_SECONDS = 15;

    @TempDir
    private static Path directory;

    private final FakeDirectory endpoints = new FakeDirectory();
    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false, true);
    private final List<ByteBuf> inputs = new ArrayList<>();
    private SessionServices services;

    @BeforeEach
    void prepare() {
        RoutedEndpoint endpoint = new RoutedEndpoint("ep-a", "main", "p1");
        endpoints.endpoints.add(endpoint);
        endpoints.defaults.add(endpoint);
        endpoints.verifiers.put("alice", TestVerifiers.verifier("secret", "salt"));
        SecureRandom random = new SecureRandom();
        Nonces nonces = new Nonces(random);
        CancelKeys cancelKeys = new CancelKeys(random, new byte[] {2});
        MetricRegistry metrics = new MetricRegistry();
        ComputeAccess compute = new ComputeAccess(
                endpoints,
                new ComputeConnector(Transport.available(), Duration.ofSeconds(1)),
                nonces,
                Duration.ofSeconds(60),
                WriteBufferWaterMark.DEFAULT);
        Pools pools = new Pools(
                new MultiThreadIoEventLoopGroup(1, Transport.available().ioHandlers()),
                PoolSettings.DEFAULTS,
                compute,
                cancelKeys,
                new PoolMetrics(metrics));
        services = new SessionServices(
                new SessionSettings(
                        100, Duration.ofSeconds(HANDSHAKE_SECONDS), List.of("localhost"), false, AddressRanges.ALL),
                TlsSource.open(new TlsSettings.SelfSigned(directory), Clock.systemUTC()),
                new MockVerifiers(new byte[] {1}),
                nonces,
                new PasswordChecker(),
                new LoginLimiter(new RateLimits(0, 0, 0), System::nanoTime),
                cancelKeys,
                compute,
                pools,
                HttpServices.create(HttpSettings.DEFAULTS, pools, metrics),
                new ProxyMetrics(metrics));
    }

    private EmbeddedChannel open() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        channel.pipeline()
                .addLast(new ConnectionInitializer(services, new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE)));
        channel.freezeTime();
        return channel;
    }

    /** Sends the bytes in pieces of random length. */
    private void send(EmbeddedChannel channel, byte[] bytes, Random random) {
        int position = 0;
        while (position < bytes.length && channel.isOpen()) {
            int length = 1 + random.nextInt(Math.min(bytes.length - position, 64));
            ByteBuf piece = alloc.buffer(length).writeBytes(bytes, position, length);
            inputs.add(piece);
            channel.writeInbound(piece);
            position += length;
        }
    }

    private void assertEndsWithoutATrace(EmbeddedChannel channel, String round) {
        channel.advanceTimeBy(HANDSHAKE_SECONDS + 1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
        assertThat(channel.isOpen()).as(round).isFalse();
        channel.checkException();
        for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            ReferenceCountUtil.release(out);
        }
        assertThat(channel.<Object>readInbound()).as(round).isNull();
        assertThat(inputs).as(round).allMatch(input -> input.refCnt() == 0);
        inputs.clear();
        assertThat(alloc.metric().usedHeapMemory()).as(round).isZero();
        assertThat(endpoints.wakes).as(round).hasValue(0);
    }

    private interface Conversation {
        void hold(EmbeddedChannel channel, Random random);
    }

    private void rounds(Conversation conversation) {
        long firstSeed = System.nanoTime();
        for (long seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
            Random random = new Random(seed);
            String round = "seed " + seed;
            EmbeddedChannel channel = open();
            try {
                conversation.hold(channel, random);
            } catch (RuntimeException e) {
                throw new AssertionError(round, e);
            }
            assertEndsWithoutATrace(channel, round);
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
