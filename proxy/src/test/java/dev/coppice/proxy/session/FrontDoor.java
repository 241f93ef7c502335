package dev.coppice.proxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
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
import dev.coppice.proxy.limit.UnauthenticatedConnections;
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
import io.netty.buffer.UnpooledByteBufAllocator;
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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * Everything that a connection meets before its session, without sockets and threads: time passes when a test says so, each
 * buffer is counted, nonces are known. Role alice with the password {@code secret} may come in.
 */
final class FrontDoor implements AutoCloseable {
    static final long HANDSHAKE_SECONDS = 15;
    static final String NONCE = "A".repeat(24);
    /** What a stranger may make us hold, in bytes: a startup packet or a TLS record, in buffers that double. */
    private static final long MAX_STRANGERS_BYTES = 256 << 10;
    /** Reasons to end a connection that no client can be blamed for; Netty's codec reads headers until it runs out of bytes. */
    private static final Pattern OUR_FAULT = Pattern.compile(
            "reason=\"(?!malformed PROXY)[^\"]*(readerIndex|Index |out of bounds|Cannot invoke|null|not an? (startup|auth))");

    final FakeDirectory endpoints = new FakeDirectory();
    final SessionServices services;
    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false, true);
    private final List<ByteBuf> inputs = new ArrayList<>();
    private final ListAppender<ILoggingEvent> ends = new ListAppender<>();
    private final EmbeddedChannel home = new EmbeddedChannel();

    /** @param directory for the certificate */
    FrontDoor(Path directory) {
        home.freezeTime();
        Logger connections = (Logger) LoggerFactory.getLogger(ClientConnection.class);
        connections.setLevel(Level.DEBUG);
        connections.setAdditive(false);
        ends.start();
        connections.addAppender(ends);
        RoutedEndpoint endpoint = new RoutedEndpoint("ep-a", "main", "p1");
        endpoints.endpoints.add(endpoint);
        endpoints.defaults.add(endpoint);
        endpoints.verifiers.put("alice", TestVerifiers.verifier("secret", "salt"));
        SecureRandom random = new SecureRandom();
        Nonces nonces = new Nonces(new Zeros());
        CancelKeys cancelKeys = new CancelKeys(random, new byte[] {2});
        MetricRegistry metrics = new MetricRegistry();
        ComputeAccess compute = new ComputeAccess(
                endpoints,
                new ComputeConnector(Transport.available(), Duration.ofSeconds(1)),
                nonces,
                Duration.ofSeconds(60),
                WriteBufferWaterMark.DEFAULT);
        Pools pools = new Pools(home.eventLoop(), PoolSettings.DEFAULTS, compute, cancelKeys, new PoolMetrics(metrics));
        services = new SessionServices(
                new AtomicReference<>(settings(ProxyProtocol.OFF)),
                TlsSource.open(new TlsSettings.SelfSigned(directory), Clock.systemUTC()),
                new MockVerifiers(new byte[] {1}),
                nonces,
                new PasswordChecker(ImmediateEventExecutor.INSTANCE),
                new LoginLimiter(new RateLimits(0, 0, 0, 0), System::nanoTime),
                new UnauthenticatedConnections(),
                cancelKeys,
                compute,
                pools,
                HttpServices.create(HttpSettings.DEFAULTS, pools, metrics),
                new ProxyMetrics(metrics));
    }

    @Override
    public void close() {
        Logger connections = (Logger) LoggerFactory.getLogger(ClientConnection.class);
        connections.setLevel(null);
        connections.setAdditive(true);
        connections.detachAppender(ends);
    }

    /** Makes nonces that a test can foresee. */
    private static final class Zeros extends SecureRandom {
        @Override
        public void nextBytes(byte[] bytes) {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    void proxyProtocol(ProxyProtocol.Mode mode) {
        services.currentSettings().set(settings(new ProxyProtocol(mode, AddressRanges.ALL)));
    }

    private static SessionSettings settings(ProxyProtocol protocol) {
        return new SessionSettings(
                100,
                Duration.ofSeconds(HANDSHAKE_SECONDS),
                List.of("localhost"),
                false,
                AddressRanges.ALL,
                0,
                protocol);
    }

    EmbeddedChannel open() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        channel.pipeline()
                .addLast(new ConnectionInitializer(services, new DefaultChannelGroup(ImmediateEventExecutor.INSTANCE)));
        channel.freezeTime();
        return channel;
    }

    /** Sends the bytes in pieces of this length, and lets everything happen that follows at once. */
    void send(EmbeddedChannel channel, byte[] bytes, int pieceBytes) {
        for (int position = 0; position < bytes.length && channel.isOpen(); position += pieceBytes) {
            sendPiece(channel, bytes, position, Math.min(bytes.length - position, pieceBytes));
        }
        channel.runPendingTasks();
        home.runPendingTasks();
    }

    void sendPiece(EmbeddedChannel channel, byte[] bytes, int position, int length) {
        ByteBuf piece = alloc.buffer(length).writeBytes(bytes, position, length);
        inputs.add(piece);
        channel.writeInbound(piece);
    }

    long heldBytes() {
        return alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory();
    }

    /** At the deadline it is closed, has let go of everything, and has woken nothing. */
    void assertEndsWithoutATrace(EmbeddedChannel channel) {
        releaseReplies(channel);
        inputs.removeIf(input -> input.refCnt() == 0);
        assertThat(heldBytes()).isLessThan(MAX_STRANGERS_BYTES);
        channel.advanceTimeBy(HANDSHAKE_SECONDS + 1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
        assertThat(channel.isOpen()).isFalse();
        assertNothingLeft(channel);
        assertThat(endpoints.wakes).hasValue(0);
    }

    /** The client goes; everything is let go of. */
    void assertLeavesWithoutATrace(EmbeddedChannel channel) {
        releaseReplies(channel);
        channel.close();
        channel.runPendingTasks();
        home.runPendingTasks();
        channel.runPendingTasks();
        assertNothingLeft(channel);
        // Pools without clients go with the next sweep.
        home.advanceTimeBy(2, TimeUnit.SECONDS);
        home.runScheduledPendingTasks();
    }

    private static void releaseReplies(EmbeddedChannel channel) {
        for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            ReferenceCountUtil.release(out);
        }
    }

    private void assertNothingLeft(EmbeddedChannel channel) {
        channel.checkException();
        releaseReplies(channel);
        assertThat(channel.<Object>readInbound()).isNull();
        assertThat(inputs).allMatch(input -> input.refCnt() == 0);
        inputs.clear();
        assertThat(heldBytes()).isZero();
        assertThat(ends.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .noneMatch(end -> OUR_FAULT.matcher(end).find());
        ends.list.clear();
    }
}
