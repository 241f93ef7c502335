package dev.coppice.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.FakeDirectory;
import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.auth.TestKeys;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.relay.ComputeAccess;
import dev.coppice.proxy.relay.ComputeConnector;
import dev.coppice.proxy.relay.ComputeGreeting;
import dev.coppice.proxy.relay.LiveSession;
import dev.coppice.proxy.relay.SessionEnd;
import dev.coppice.proxy.relay.Transport;
import dev.coppice.proxy.route.ComputeSocket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.LoggerFactory;

/**
 * A pool without sockets and threads, before models of Postgres: a test decides who speaks next, and each buffer is counted.
 */
final class PoolBench {
    private static final Map<String, String> PARAMETERS = Map.of("user", "alice", "database", "shop");
    private static final PoolMetrics METRICS = new PoolMetrics(new MetricRegistry());
    private static final ListAppender<ILoggingEvent> PROBLEMS = new ListAppender<>();

    /** What the pool logs is looked through instead of being shown, until {@link #stop}. */
    static void start() {
        Logger pool = (Logger) LoggerFactory.getLogger(PoolBench.class.getPackageName());
        pool.setLevel(Level.DEBUG);
        pool.setAdditive(false);
        PROBLEMS.start();
        pool.addAppender(PROBLEMS);
    }

    static void stop() {
        Logger pool = (Logger) LoggerFactory.getLogger(PoolBench.class.getPackageName());
        pool.setLevel(null);
        pool.setAdditive(true);
        pool.detachAppender(PROBLEMS);
        PROBLEMS.list.clear();
    }

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false, true);
    private final EmbeddedChannel home = new EmbeddedChannel();
    private final Pools pools;
    private final List<Client> clients = new ArrayList<>();
    private final List<Server> servers = new ArrayList<>();

    PoolBench() {
        home.freezeTime();
        PROBLEMS.list.clear();
        FakeDirectory directory = new FakeDirectory();
        AtomicInteger wakes = new AtomicInteger();
        // The pool finds the compute awake when it begins; no server connections can be had but those of the test.
        directory.wake = () -> wakes.getAndIncrement() == 0
                ? CompletableFuture.completedFuture(new ComputeSocket(Path.of("/nowhere"), 0, 1))
                : new CompletableFuture<>();
        SecureRandom random = new SecureRandom();
        ComputeAccess access = new ComputeAccess(
                directory,
                new ComputeConnector(Transport.available(), Duration.ofSeconds(1)),
                new Nonces(random),
                Duration.ofSeconds(60),
                WriteBufferWaterMark.DEFAULT);
        pools = new Pools(
                home.eventLoop(),
                new PoolSettings(8, 100, Duration.ofSeconds(120), Duration.ofSeconds(60), Duration.ofHours(1), 3),
                access,
                new CancelKeys(random, new byte[] {1}),
                METRICS);
    }

    /** A client that is in. The first one brings the server connections. */
    final class Client implements PooledSession.Host {
        final EmbeddedChannel channel = new EmbeddedChannel();
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();

        Client(int newServers) {
            channel.config().setAllocator(alloc);
            PooledSession session = pools.take(channel, this, "ep-a", PARAMETERS, TestKeys.zeros());
            clients.add(this);
            pools.move(channel, session);
            run();
            for (int i = 0; i < newServers; i++) {
                servers.add(new Server(session));
            }
            PoolBench.this.settle();
        }

        void send(byte... bytes) {
            if (channel.isOpen()) {
                channel.writeInbound(alloc.buffer(bytes.length).writeBytes(bytes));
                run();
            }
        }

        /** Everything that it was told since this was asked last. */
        byte[] received() {
            for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                received.writeBytes(ByteBufUtil.getBytes(out));
                out.release();
            }
            byte[] all = received.toByteArray();
            received.reset();
            return all;
        }

        void close() {
            channel.close();
            run();
        }

        @Override
        public ProtocolVersion version() {
            return ProtocolVersion.V3_0;
        }

        @Override
        public void began(LiveSession session) {}

        @Override
        public void ended(SessionEnd who, String why) {}

        @Override
        public void refused(String sqlState, byte[] errorResponse) {
            channel.close();
        }

        @Override
        public void refused(PgError error) {
            channel.close();
        }
    }

    /** A server connection, and the Postgres behind it. */
    final class Server {
        final EmbeddedChannel channel = new EmbeddedChannel();
        final ModelPostgres postgres = new ModelPostgres();

        Server(PooledSession first) {
            channel.config().setAllocator(alloc);
            byte[] parameter = Messages.message('S', "a\0b\0");
            ByteBuf passed = alloc.buffer().writeBytes(parameter);
            first.pool()
                    .opening(first)
                    .opened(
                            channel,
                            new ComputeSocket(Path.of("/nowhere"), 0, 1),
                            new ComputeGreeting(passed, Optional.empty(), (byte) 'I'));
        }

        void say(byte... bytes) {
            if (channel.isOpen()) {
                channel.writeInbound(alloc.buffer(bytes.length).writeBytes(bytes));
                run();
            }
        }

        private void hear() {
            for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                postgres.receive(out);
            }
        }

        /** Answers one request; whether there was one. */
        boolean answer() {
            hear();
            if (!channel.isOpen() || !postgres.hasRequest()) {
                return false;
            }
            say(postgres.step());
            if (postgres.closed()) {
                channel.close();
                run();
            }
            return true;
        }
    }

    Client client() {
        return new Client(servers.isEmpty() ? 2 : 0);
    }

    Server server(int number) {
        return servers.get(number % servers.size());
    }

    /** Whatever is due without anybody speaking. */
    private void run() {
        home.runPendingTasks();
        clients.forEach(client -> client.channel.runPendingTasks());
        servers.forEach(server -> {
            server.channel.runPendingTasks();
            server.hear();
        });
    }

    /** All requests are answered. */
    void settle() {
        run();
        boolean more = true;
        while (more) {
            more = false;
            for (Server server : servers) {
                more |= server.answer();
            }
        }
    }

    long heldBytes() {
        return alloc.metric().usedHeapMemory() + alloc.metric().usedDirectMemory();
    }

    /** Every server connection is fit for the next client, or closed; nothing is held; nothing went wrong on the way. */
    void assertGoneWithoutATrace() {
        settle();
        clients.forEach(Client::close);
        settle();
        assertThat(METRICS.busy).hasValue(0);
        for (Server server : servers) {
            if (server.channel.isOpen()) {
                assertThat(server.postgres.atRest()).isTrue();
            }
        }
        if (servers.stream().anyMatch(server -> server.channel.isOpen())) {
            Client next = client();
            next.received();
            next.send(Messages.query("select 1"));
            settle();
            assertThat(Messages.types(next.received())).isEqualTo("C ZI");
            next.close();
        }
        servers.forEach(server -> server.channel.close());
        run();
        assertNothingHeld();
    }

    void assertNothingHeld() {
        clients.forEach(client -> {
            client.close();
            client.received();
            client.channel.checkException();
        });
        servers.forEach(server -> {
            server.channel.close();
            server.channel.checkException();
        });
        run();
        assertThat(heldBytes()).isZero();
        assertThat(PROBLEMS.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .noneMatch(message -> message.contains("Exception") && !message.contains("ClosedChannelException"));
        PROBLEMS.list.clear();
    }

    /** Messages of a client, and what can be said about those of a server. */
    static final class Messages {
        private Messages() {}

        static byte[] message(char type, String body) {
            byte[] text = body.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
            return ByteBuffer.allocate(5 + text.length)
                    .put((byte) type)
                    .putInt(4 + text.length)
                    .put(text)
                    .array();
        }

        static byte[] query(String sql) {
            return message('Q', sql + "\0");
        }

        static byte[] parse(String name, String sql) {
            return message('P', name + "\0" + sql + "\0\0\0");
        }

        static byte[] bind(String name) {
            return message('B', "\0" + name + "\0\0\0\0\0\0\0");
        }

        static byte[] execute() {
            return message('E', "\0\0\0\0\0");
        }

        static byte[] sync() {
            return message('S', "");
        }

        /** The types in order, ReadyForQuery with its status. */
        static String types(byte[] replies) {
            List<String> types = new ArrayList<>();
            ByteBuffer in = ByteBuffer.wrap(replies);
            while (in.remaining() >= 5) {
                char type = (char) in.get();
                int length = in.getInt();
                types.add(type == 'Z' ? "Z" + (char) in.get(in.position()) : String.valueOf(type));
                in.position(in.position() + length - 4);
            }
            assertThat(in.hasRemaining()).as("ends inside a message").isFalse();
            return String.join(" ", types);
        }
    }
}
