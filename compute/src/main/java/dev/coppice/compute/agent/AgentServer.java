package dev.coppice.compute.agent;

import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeUser;
import dev.coppice.storage.Timeline;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one compute: one Unix socket, one timeline, one epoch. Every connection has a thread of its own; a Postgres process
 * opens one when it first misses something. They are platform threads, because a backend waits for each answer: a virtual
 * thread comes back from a blocking read by way of the poller, which took 44 us for an 8 kB answer where this takes 11.
 *
 * <p>The socket appears under its name only when it can be connected to and belongs to the compute's user. Closing removes
 * it and ends every connection; the interposer reconnects and waits, so a server that starts again may serve a compute
 * that never stopped.
 */
public final class AgentServer implements AutoCloseable {
    /** More than Postgres can have processes. */
    private static final int CONNECTIONS_MAX = 8192;

    private static final int BACKLOG = 1024;

    /** Reading a page is a shallow affair, and there may be thousands of connections. */
    private static final long STACK_BYTES = 256 << 10;

    private static final Logger log = LoggerFactory.getLogger(AgentServer.class);
    private static final PageBuffers BUFFERS = new PageBuffers();

    private final Path socket;
    private final Timeline timeline;
    private final long epoch;
    private final ServerSocketChannel server;
    private final ComputeUser user;
    private final Unanswerable failures;
    private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();

    private AgentServer(Path socket, Timeline timeline, long epoch, ServerSocketChannel server, ComputeUser user) {
        this.socket = socket;
        this.timeline = timeline;
        this.epoch = epoch;
        this.server = server;
        this.user = user;
        this.failures = new Unanswerable(timeline.id().value());
    }

    /**
     * Begins to serve.
     *
     * @param socket where; what is there is replaced
     * @param epoch the only one whose compute may ask
     * @throws ComputeException when the socket cannot be made
     */
    public static AgentServer start(Path socket, Timeline timeline, long epoch, ComputeUser user) {
        Path making = socket.resolveSibling(socket.getFileName() + "~");
        try {
            Files.deleteIfExists(making);
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                server.bind(UnixDomainSocketAddress.of(making), BACKLOG);
                user.own(making);
                Files.move(making, socket, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException | RuntimeException e) {
                server.close();
                throw e;
            }
            AgentServer agent = new AgentServer(socket, timeline, epoch, server, user);
            Thread.ofVirtual().name("agent " + timeline.id().value()).start(agent::accept);
            return agent;
        } catch (IOException e) {
            throw new ComputeException("cannot serve pages at " + socket, e);
        }
    }

    /** A second call does nothing: the socket may be a successor's by then. */
    @Override
    public void close() {
        if (!server.isOpen()) {
            return;
        }
        try {
            server.close();
            Files.deleteIfExists(socket);
            for (SocketChannel connection : connections) {
                connection.close();
            }
        } catch (IOException e) {
            log.warn("Closing the page socket {} failed", socket, e);
        }
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel connection = server.accept();
                connections.add(connection);
                if (!server.isOpen() || connections.size() > CONNECTIONS_MAX) {
                    end(connection);
                    continue;
                }
                startServing(connection);
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                // Out of descriptors, most likely: the interposer tries again, and so does this loop.
                log.warn("Cannot accept a connection at {}", socket, e);
                pause();
            }
        }
    }

    private void startServing(SocketChannel connection) {
        try {
            Thread.ofPlatform()
                    .daemon()
                    .stackSize(STACK_BYTES)
                    .name("pages " + timeline.id().value())
                    .start(() -> serve(connection));
        } catch (OutOfMemoryError e) {
            // The machine's limit of threads; the compute asks again, so one connection less is no loss.
            log.error("No thread for another connection at {}", socket, e);
            end(connection);
            pause();
        }
    }

    private void serve(SocketChannel connection) {
        try {
            new AgentConnection(connection, timeline, epoch, BUFFERS, user, failures).run();
        } catch (ProtocolException e) {
            log.warn(
                    "A process of the compute on {} was refused: {}",
                    timeline.id().value(),
                    e.getMessage());
        } catch (ClosedChannelException e) {
            log.trace("The server closed a connection at {}", socket);
        } catch (IOException e) {
            // The process is gone; what it asked for went with it.
            log.debug("A connection at {} ended: {}", socket, e.getMessage());
        } catch (RuntimeException e) {
            log.error("A connection at {} failed", socket, e);
        } finally {
            end(connection);
        }
    }

    private void end(SocketChannel connection) {
        connections.remove(connection);
        try {
            connection.close();
        } catch (IOException e) {
            log.debug("Closing a connection at {} failed: {}", socket, e.getMessage());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
