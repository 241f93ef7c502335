package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.auth.ScramServer;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.route.ComputeSocket;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Stands in the place of a compute and does what no Postgres would. */
final class FakeCompute implements AutoCloseable {
    /** What happens on one connection; it is closed at the end. */
    interface Script {
        void play(Connection connection) throws Exception;
    }

    /** One connection of the proxy. */
    static final class Connection {
        final DataInputStream in;
        final DataOutputStream out;
        /** Of the message that was read last. */
        byte[] body = new byte[0];

        private Connection(SocketChannel channel) {
            in = new DataInputStream(Channels.newInputStream(channel));
            out = new DataOutputStream(Channels.newOutputStream(channel));
        }

        void send(char type, byte... body) throws IOException {
            out.write(message(type, body));
        }

        /** Only the beginning of a message, which says that it is so long. */
        void header(char type, int length) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream header = new DataOutputStream(bytes);
            header.writeByte(type);
            header.writeInt(length);
            out.write(bytes.toByteArray());
        }

        void readStartup() throws IOException {
            in.readNBytes(in.readInt() - 4);
        }

        /** The next message; its type. */
        char read() throws IOException {
            char type = (char) in.readUnsignedByte();
            body = in.readNBytes(in.readInt() - 4);
            return type;
        }

        /** Answers what a pool asks, and returns at the first request of a client. */
        void awaitRequest() throws IOException {
            while (read() == 'Q'
                    && (new String(body, UTF_8).startsWith("show max_connections")
                            || new String(body, UTF_8).startsWith("select pg_catalog.concat_ws"))) {
                send('C', "SHOW\0".getBytes(UTF_8));
                send('Z', (byte) 'I');
            }
        }

        /** Reads until the other side closes. */
        void idle() throws IOException {
            while (in.read() >= 0) {}
        }

        /** Everything up to ReadyForQuery, as Postgres would. */
        void login() throws Exception {
            authenticate();
            send('S', "server_version\0 18.0\0".getBytes(UTF_8));
            send('K', new byte[] {0, 0, 0, 7, 1, 2, 3, 4});
            send('Z', (byte) 'I');
        }

        /** Startup and SCRAM, up to AuthenticationOk. */
        void authenticate() throws Exception {
            readStartup();
            sasl(10, "SCRAM-SHA-256\0\0");
            ScramServer scram = new ScramServer(VERIFIER, false, "fakenonce", Optional.empty());
            read();
            sasl(11, scram.first(body));
            read();
            if (!(scram.last(body) instanceof ScramServer.Outcome.Accepted(String last, var _))) {
                throw new IllegalStateException("the proxy does not know the password");
            }
            sasl(12, last);
            sasl(0, "");
        }

        void sasl(int code, String data) throws IOException {
            byte[] text = data.getBytes(UTF_8);
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            new DataOutputStream(body).writeInt(code);
            body.writeBytes(text);
            send('R', body.toByteArray());
        }
    }

    private static final ScramVerifier VERIFIER = ScramVerifier.parse(
                    TestVerifiers.verifier(ProxyFixture.PASSWORD, "salt of alice"))
            .orElseThrow();

    private final Path directory = Files.createTempDirectory("coppice-");
    private final ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Queue<SocketChannel> open = new ConcurrentLinkedQueue<>();

    FakeCompute(Script script) throws IOException {
        listener.bind(UnixDomainSocketAddress.of(path()));
        threads.execute(() -> accept(script));
    }

    Path path() {
        return directory.resolve("s");
    }

    /** This process listens there. */
    ComputeSocket socket() {
        try {
            int uid = (Integer) Files.getAttribute(directory, "unix:uid");
            return new ComputeSocket(path(), uid, ProcessHandle.current().pid());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept(Script script) {
        while (listener.isOpen()) {
            try {
                SocketChannel channel = listener.accept();
                open.add(channel);
                threads.execute(() -> {
                    try (channel) {
                        script.play(new Connection(channel));
                    } catch (Exception _) {
                        // The proxy has had enough.
                    }
                });
            } catch (IOException _) {
                return;
            }
        }
    }

    static byte[] message(char type, byte... body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeByte(type);
            out.writeInt(4 + body.length);
            out.write(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (SocketChannel channel : open) {
            channel.close();
        }
        threads.close();
        TestDirectories.delete(directory);
    }
}
