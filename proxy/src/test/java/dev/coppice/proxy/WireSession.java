package dev.coppice.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A client of which everything that it is told is written down, message by message, apart from process ids and secrets. */
final class WireSession implements AutoCloseable {
    private final RawClient client;
    private final List<String> heard = new ArrayList<>();
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();
    private boolean closed;
    private byte[] keyData = new byte[0];

    private WireSession(RawClient client) {
        this.client = client;
    }

    /** Logs in; what comes of it is in {@link #heard}. */
    static WireSession open(int port, String user, String database) throws IOException, GeneralSecurityException {
        WireSession session = new WireSession(new RawClient(port));
        RawClient.Reply reply = session.client.authenticate(user, ProxyFixture.PASSWORD, database);
        session.note(reply);
        if (reply.type() == 'R') {
            session.readToReady();
        }
        return session;
    }

    /** What was said since this was asked last. */
    List<String> heard() {
        List<String> all = List.copyOf(heard);
        heard.clear();
        return all;
    }

    byte[] keyData() {
        return keyData;
    }

    WireSession query(String sql) throws IOException {
        message('Q', sql);
        return send();
    }

    WireSession parse(String name, String sql) {
        return message('P', name, sql, new byte[] {0, 0});
    }

    /** With these values in text format, or NULL, and all results in text format. */
    WireSession bind(String name, @Nullable String... values) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(body);
        try {
            out.writeShort(0);
            out.writeShort(values.length);
            for (String value : values) {
                if (value == null) {
                    out.writeInt(-1);
                } else {
                    out.writeInt(value.getBytes(UTF_8).length);
                    out.write(value.getBytes(UTF_8));
                }
            }
            out.writeShort(0);
        } catch (IOException e) {
            throw new IllegalStateException("a buffer in memory", e);
        }
        return message('B', "", name, body.toByteArray());
    }

    WireSession describe(String name) {
        return message('D', "S" + name);
    }

    WireSession execute() {
        return message('E', "", new byte[4]);
    }

    WireSession closeStatement(String name) {
        return message('C', "S" + name);
    }

    /** Binds and runs it, with what its result looks like. */
    WireSession run(String name, @Nullable String... values) throws IOException {
        return bind(name, values).message('D', "P").execute().sync();
    }

    /** Sends what was put together, and reads up to ReadyForQuery. */
    WireSession sync() throws IOException {
        message('S');
        return send();
    }

    private WireSession send() throws IOException {
        client.send(batch.toByteArray());
        batch.reset();
        readToReady();
        return this;
    }

    /** Sends a simple query, and reads nothing. */
    void begin(String sql) throws IOException {
        message('Q', sql);
        client.send(batch.toByteArray());
        batch.reset();
    }

    WireSession message(char type, Object... parts) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (Object part : parts) {
            if (part instanceof byte[] bytes) {
                body.writeBytes(bytes);
            } else {
                body.writeBytes(part.toString().getBytes(UTF_8));
                body.write(0);
            }
        }
        batch.writeBytes(FakeCompute.message(type, body.toByteArray()));
        return this;
    }

    void readToReady() throws IOException {
        RawClient.Reply reply = client.read();
        note(reply);
        while (!reply.end() && reply.type() != 'Z') {
            reply = client.read();
            note(reply);
        }
    }

    private void note(RawClient.Reply reply) {
        if (reply.type() == 'K') {
            keyData = reply.bytes();
        } else {
            heard.add(
                    switch (reply.type()) {
                        case 0 -> "(end)";
                        case 'T' -> "T " + columns(reply);
                        // Without the place in Postgres's source.
                        case 'E', 'N' -> reply.type() + " " + reply.text().replaceAll("(?m)^[FLR].*\\n", "");
                        default -> reply.type() + " " + reply.text();
                    });
        }
    }

    /** Name, number, type, length, modifier and format of each; the table is another one each time it is made. */
    private static String columns(RawClient.Reply reply) {
        ByteBuffer in = reply.body().duplicate();
        StringBuilder out = new StringBuilder();
        for (int left = in.getShort(); left > 0; left--) {
            StringBuilder name = new StringBuilder();
            for (byte c = in.get(); c != 0; c = in.get()) {
                name.append((char) c);
            }
            in.getInt();
            out.append(name)
                    .append(':')
                    .append(in.getShort())
                    .append(':')
                    .append(in.getInt())
                    .append(':');
            out.append(in.getShort())
                    .append(':')
                    .append(in.getInt())
                    .append(':')
                    .append(in.getShort())
                    .append(' ');
        }
        return out.toString();
    }

    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            client.message('X', new byte[0]);
            client.close();
        }
    }
}
