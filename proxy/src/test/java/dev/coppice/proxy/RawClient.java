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
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** Speaks the wire protocol byte by byte, as no driver would let us. */
final class RawClient implements AutoCloseable {
    /** Protocol versions, as startup packets carry them. */
    static final int V3_0 = 3 << 16;

    static final int V3_2 = 3 << 16 | 2;
    private static final int CANCEL_REQUEST = 80877102;

    private static final int READ_TIMEOUT_MILLIS = 30_000;
    private static final String NONCE = "rawclientnonce";

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
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(READ_TIMEOUT_MILLIS);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
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
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            return new Reply(type, ByteBuffer.wrap(body));
        } catch (EOFException | SocketException _) {
            return new Reply((char) 0, ByteBuffer.allocate(0));
        }
    }

    /** Startup and SCRAM; returns behind AuthenticationOk, or at the first error. */
    Reply authenticate(String user, String password, String database) throws IOException, GeneralSecurityException {
        return authenticate(V3_0, user, password, database);
    }

    Reply authenticate(int version, String user, String password, String database)
            throws IOException, GeneralSecurityException {
        startup(version, "user", user, "database", database);
        Reply reply = read();
        if (reply.type() != 'R') {
            return reply;
        }
        String firstBare = "n=,r=" + NONCE;
        byte[] first = ("n,," + firstBare).getBytes(UTF_8);
        ByteArrayOutputStream initial = new ByteArrayOutputStream();
        initial.write("SCRAM-SHA-256\0".getBytes(UTF_8));
        initial.write(new byte[] {0, 0, 0, (byte) first.length});
        initial.write(first);
        message('p', initial.toByteArray());
        reply = read();
        if (reply.type() != 'R') {
            return reply;
        }
        String serverFirst = UTF_8.decode(reply.body().duplicate().position(4)).toString();
        message('p', clientFinal(password, firstBare, serverFirst).getBytes(UTF_8));
        reply = read();
        return reply.type() == 'R' ? read() : reply;
    }

    private static String clientFinal(String password, String firstBare, String serverFirst)
            throws GeneralSecurityException {
        String[] parts = serverFirst.split(",", -1);
        byte[] salt = Base64.getDecoder().decode(parts[1].substring(2));
        byte[] salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                .generateSecret(
                        new PBEKeySpec(password.toCharArray(), salt, Integer.parseInt(parts[2].substring(2)), 256))
                .getEncoded();
        byte[] clientKey = hmac(salted, "Client Key");
        byte[] storedKey = MessageDigest.getInstance("SHA-256").digest(clientKey);
        String withoutProof = "c=biws," + parts[0];
        byte[] proof = hmac(storedKey, firstBare + "," + serverFirst + "," + withoutProof);
        for (int i = 0; i < proof.length; i++) {
            proof[i] ^= clientKey[i];
        }
        return withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof);
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(UTF_8));
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
