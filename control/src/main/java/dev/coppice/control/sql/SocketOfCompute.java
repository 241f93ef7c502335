package dev.coppice.control.sql;

import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeAddress.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/** What the driver makes its sockets with: it names the class and gives it one text, which says where to connect and who must listen. */
public final class SocketOfCompute extends SocketFactory {
    /** The driver logs in on the thread that asked for the connection, and shows nobody its socket. */
    private static final ThreadLocal<@Nullable UnixSocket> LAST = new ThreadLocal<>();

    private final Path path;
    private final Peer peer;

    /** @param address of {@link #text} */
    public SocketOfCompute(String address) {
        String[] parts = address.split(" ", 3);
        this.peer = new Peer(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
        this.path = Path.of(parts[2]);
    }

    static String text(ComputeAddress address) {
        return address.peer().uid() + " " + address.peer().pid() + " " + address.socket();
    }

    @Override
    public Socket createSocket() throws IOException {
        UnixSocket socket = UnixSocket.connect(path, peer);
        LAST.set(socket);
        return socket;
    }

    /** The log-in over this thread's last socket is done, or has failed. */
    static void loginEnded() {
        UnixSocket socket = LAST.get();
        if (socket != null) {
            socket.loggedIn();
            LAST.remove();
        }
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
        return createSocket();
    }
}
