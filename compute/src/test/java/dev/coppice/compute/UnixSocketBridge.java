package dev.coppice.compute;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * Lets JDBC, which speaks TCP only, reach a compute's Unix socket: relays connections from a loopback port. To Postgres the
 * peer is the user of this process, so {@code peer} authentication works.
 */
final class UnixSocketBridge implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final SocketAddress target;
    private final ServerSocketChannel server;

    UnixSocketBridge(Path socket) throws IOException {
        target = UnixDomainSocketAddress.of(socket);
        server = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofVirtual().start(this::accept);
    }

    int port() throws IOException {
        return ((InetSocketAddress) server.getLocalAddress()).getPort();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel client = server.accept();
                Thread.ofVirtual().start(() -> relay(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void relay(SocketChannel client) {
        try (client;
                SocketChannel compute = SocketChannel.open(target)) {
            Thread back = Thread.ofVirtual().start(() -> copy(compute, client));
            copy(client, compute);
            back.join();
        } catch (IOException e) {
            // The client sees a closed connection, as it would without the bridge.
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void copy(SocketChannel from, SocketChannel to) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
        } catch (IOException e) {
            // The other side is told by the close below.
            buffer.clear();
        } finally {
            closeBoth(from, to);
        }
    }

    private static void closeBoth(SocketChannel a, SocketChannel b) {
        try (a;
                b) {
            // Closing is all.
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
