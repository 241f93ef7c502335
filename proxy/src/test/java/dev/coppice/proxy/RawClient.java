package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** Speaks the wire protocol byte by byte, as no driver would let us. */
final class RawClient implements AutoCloseable {
    /** Protocol versions, as startup packets carry them. */
    static final int V3_0 = 3 << 16;

    static final int V3_2 = 3 << 16 | 2;
    private static final int CANCEL_REQUEST = 80877102;

    private static final int MAX_MESSAGE_BYTES = 64 << 20;
    private static final int READ_TIMEOUT_MILLIS = 30_000;

    /** One message of the server; type 0 stands for the end of the stream. */
    record Reply(char type, ByteBuffer body) {
        String text() {
            return UTF_8.decode(body.duplicate()).toString().replace('\0', '\n');
        }

        byte[] bytes() {
            byte[] copy = new byte[body.remaining()];
            body.duplicate().get(copy);
            return copy;
        }

        boolean end() {
            return type == 0;
        }
    }

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    RawClient(int port) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    /** @param socket connected; the client's from here on */
    RawClient(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(READ_TIMEOUT_MILLIS);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
    }

    /**
     * Begins with a TLS handshake and ALPN, and asks for this server name. Any certificate will do.
     *
     * @param certificate the client's own; empty for none
     */
    static RawClient overTls(int port, String serverName, KeyManager... certificate)
            throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(certificate, new TrustManager[] {new TrustsAnybody()}, null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        try {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"postgresql"});
            parameters.setServerNames(List.of(new SNIHostName(serverName)));
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(READ_TIMEOUT_MILLIS);
            socket.startHandshake();
            return new RawClient(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private static final class TrustsAnybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** What the server has shown. */
    X509Certificate serverCertificate() throws IOException {
        return (X509Certificate) ((SSLSocket) socket).getSession().getPeerCertificates()[0];
    }

    /** How long a read waits, in milliseconds. */
    void timeout(int millis) throws IOException {
        socket.setSoTimeout(millis);
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    void startup(int code, String... parameters) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (String text : parameters) {
            body.write(text.getBytes(UTF_8));
            body.write(0);
        }
        body.write(0);
        out.writeInt(8 + body.size());
        out.writeInt(code);
        send(body.toByteArray());
    }

    void message(char type, byte[] body) throws IOException {
        out.writeByte(type);
        out.writeInt(4 + body.length);
        send(body);
    }

    /** @param keyData the body of a BackendKeyData */
    void cancel(byte[] keyData) throws IOException {
        out.writeInt(8 + keyData.length);
        out.writeInt(CANCEL_REQUEST);
        send(keyData);
    }

    char readByte() throws IOException {
        return (char) in.readUnsignedByte();
    }

    Reply read() throws IOException {
        try {
            char type = (char) in.readUnsignedByte();
            int length = in.readInt();
            if (length < 4 || length > MAX_MESSAGE_BYTES) {
                throw new IOException("no message: length " + length);
            }
            byte[] body = new byte[length - 4];
            in.readFully(body);
            return new Reply(type, ByteBuffer.wrap(body));
        } catch (EOFException | SocketException | SSLException _) {
            return new Reply((char) 0, ByteBuffer.allocate(0));
        }
    }

    /** Startup and SCRAM; returns behind AuthenticationOk, or at the first error. */
    Reply authenticate(String user, String password, String database) throws IOException, GeneralSecurityException {
        return authenticate(V3_0, user, password, database);
    }

    Reply authenticate(int version, String user, String password, String database)
            throws IOException, GeneralSecurityException {
        return new RawLogin(password).run(this, version, user, database);
    }

    /** Reads up to and including the next message of this type, or the end. */
    Reply readUntil(char type) throws IOException {
        Reply reply = read();
        while (!reply.end() && reply.type() != type) {
            reply = read();
        }
        return reply;
    }

    /** Reads and forgets what comes until nothing has come for so long, or the end. */
    void drain(int millis) throws IOException {
        socket.setSoTimeout(millis);
        try {
            while (in.read() >= 0) {}
        } catch (java.net.SocketTimeoutException _) {
            // That was all.
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
