package dev.coppice.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** A Postgres client that costs next to nothing, so that thousands fit into one process: a socket and no driver. */
final class WireClient implements AutoCloseable {
    private static final int PROTOCOL_3_0 = 3 << 16;
    private static final int BUFFER_BYTES = 512;
    private static final String NONCE = "benchclientnonce";
    private static final int KEY_BITS = 256;
    /** By salt: one derivation for all clients, as a driver's cache would have it. */
    private static final Map<String, byte[]> SALTED = new ConcurrentHashMap<>();

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    /** Connects, logs in with SCRAM-SHA-256 and waits for ReadyForQuery. */
    WireClient(ConnectionString to) throws IOException, GeneralSecurityException {
        socket = new Socket(to.host(), to.port());
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), BUFFER_BYTES));
        out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), BUFFER_BYTES));
        try {
            login(to);
        } catch (IOException | GeneralSecurityException e) {
            socket.close();
            throw e;
        }
    }

    private void login(ConnectionString to) throws IOException, GeneralSecurityException {
        byte[] startup = ("user\0" + to.user() + "\0database\0" + to.database() + "\0options\0" + to.options() + "\0\0")
                .getBytes(UTF_8);
        out.writeInt(2 * Integer.BYTES + startup.length);
        out.writeInt(PROTOCOL_3_0);
        out.write(startup);
        out.flush();
        expect('R');
        String firstBare = "n=,r=" + NONCE;
        byte[] first = ("n,," + firstBare).getBytes(UTF_8);
        ByteArrayOutputStream initial = new ByteArrayOutputStream();
        DataOutputStream body = new DataOutputStream(initial);
        body.write("SCRAM-SHA-256\0".getBytes(UTF_8));
        body.writeInt(first.length);
        body.write(first);
        send('p', initial.toByteArray());
        byte[] answer = expect('R');
        String serverFirst = new String(answer, Integer.BYTES, answer.length - Integer.BYTES, UTF_8);
        send('p', last(to.password(), firstBare, serverFirst).getBytes(UTF_8));
        readUntilReady();
    }

    private static String last(String password, String firstBare, String serverFirst) throws GeneralSecurityException {
        String[] parts = serverFirst.split(",", -1);
        byte[] salted = SALTED.get(parts[1] + parts[2]);
        if (salted == null) {
            salted = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(new PBEKeySpec(
                            password.toCharArray(),
                            Base64.getDecoder().decode(parts[1].substring(2)),
                            Integer.parseInt(parts[2].substring(2)),
                            KEY_BITS))
                    .getEncoded();
            SALTED.put(parts[1] + parts[2], salted);
        }
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

    /** A simple query, to its end. */
    void query(String sql) throws IOException {
        send('Q', (sql + '\0').getBytes(UTF_8));
        readUntilReady();
    }

    private void send(char type, byte[] body) throws IOException {
        out.writeByte(type);
        out.writeInt(Integer.BYTES + body.length);
        out.write(body);
        out.flush();
    }

    private void readUntilReady() throws IOException {
        while (read() != 'Z') {}
    }

    private byte[] body = {};

    private char read() throws IOException {
        char type = (char) in.readUnsignedByte();
        body = in.readNBytes(in.readInt() - Integer.BYTES);
        if (type == 'E') {
            throw new IOException(new String(body, UTF_8).replace('\0', ' '));
        }
        return type;
    }

    private byte[] expect(char type) throws IOException {
        char found = read();
        if (found != type) {
            throw new IOException("expected message " + type + ", got " + found);
        }
        return body;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
