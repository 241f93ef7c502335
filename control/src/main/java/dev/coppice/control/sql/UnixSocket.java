package dev.coppice.control.sql;

import dev.coppice.compute.ComputeAddress.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connected Unix socket where a driver expects one of TCP. It closes itself when the log-in over it takes too long, so that nobody waits
 * for a hostile server for ever; what only TCP has is ignored, and so are limits on single reads.
 */
final class UnixSocket extends Socket {
    private static final long LOGIN_SECONDS_MAX = 30;
    private static final int BUFFER = 8192;
    private static final Logger log = LoggerFactory.getLogger(UnixSocket.class);

    private final SocketChannel channel;
    private final InputStream in;
    private final OutputStream out;
    private int timeoutMillis;
    private volatile boolean loggedIn;

    private UnixSocket(SocketChannel channel) {
        this.channel = channel;
        this.in = Channels.newInputStream(channel);
        this.out = Channels.newOutputStream(channel);
    }

    /**
     * Connects.
     *
     * @param expected who must listen: nothing is sent to anybody else
     * @throws IOException when nobody listens, or somebody else does
     */
    static UnixSocket connect(Path path, Peer expected) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(path));
            Peer peer = PeerCredentials.of(channel);
            if (!peer.equals(expected)) {
                log.warn("At {} listens {}, where {} should: nothing was sent there", path, peer, expected);
                throw new SocketException("the compute is not there; something else listens at its socket");
            }
            UnixSocket socket = new UnixSocket(channel);
            CompletableFuture.delayedExecutor(LOGIN_SECONDS_MAX, TimeUnit.SECONDS)
                    .execute(socket::closeUnlessLoggedIn);
            return socket;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** The session is there: what it does may take its time. */
    void loggedIn() {
        loggedIn = true;
    }

    private void closeUnlessLoggedIn() {
        if (!loggedIn) {
            try {
                close();
            } catch (IOException e) {
                log.debug("Closing a socket whose log-in took too long", e);
            }
        }
    }

    @Override
    public InputStream getInputStream() {
        return in;
    }

    @Override
    public OutputStream getOutputStream() {
        return out;
    }

    @Override
    public void connect(SocketAddress endpoint) {
        // It is.
    }

    @Override
    public void connect(SocketAddress endpoint, int timeout) {
        // It is.
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }

    @Override
    public void setSoTimeout(int timeout) {
        timeoutMillis = timeout;
    }

    @Override
    public int getSoTimeout() {
        return timeoutMillis;
    }

    @Override
    public void setTcpNoDelay(boolean on) {
        // Unix sockets never delay.
    }

    @Override
    public boolean getTcpNoDelay() {
        return true;
    }

    @Override
    public void setKeepAlive(boolean on) {
        // The kernel tells at once when the other end goes.
    }

    @Override
    public int getSendBufferSize() {
        return BUFFER;
    }

    @Override
    public int getReceiveBufferSize() {
        return BUFFER;
    }

    @Override
    public synchronized void close() throws IOException {
        channel.close();
    }
}
