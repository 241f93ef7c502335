package dev.coppice.proxy.pool;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.coppice.proxy.pool.server.LoginState;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;

/**
 * As much of a Postgres session as the order of replies depends on (PostgresMain and CopyGetData): what is answered, skipped after an
 * error, or read by a COPY. It answers one request at a time, when a test says so. Of SQL it knows statements that contain
 * the words begin, end, copy and fail.
 */
final class ModelPostgres {
    /** @param body a character for each byte */
    private record Request(char type, String body) {}

    private final ByteArrayOutputStream unread = new ByteArrayOutputStream();
    private final Queue<Request> requests = new ArrayDeque<>();
    private final Map<String, String> statements = new HashMap<>();
    private final Map<String, String> portals = new HashMap<>();
    private final Deque<String> rest = new ArrayDeque<>();
    private final ByteArrayOutputStream replies = new ByteArrayOutputStream();
    private boolean copying;
    private boolean copyIsSimple;
    private boolean skipping;
    private boolean closed;
    private char status = 'I';

    /** Takes what a client sends. */
    void receive(ByteBuf bytes) {
        receive(ByteBufUtil.getBytes(bytes));
        bytes.release();
    }

    void receive(byte[] bytes) {
        unread.writeBytes(bytes);
        ByteBuffer in = ByteBuffer.wrap(unread.toByteArray());
        while (in.remaining() >= 5 && in.remaining() > in.getInt(in.position() + 1)) {
            char type = (char) in.get();
            int length = in.getInt();
            if (length < 4) {
                throw new AssertionError("a message '" + type + "' of the length " + length);
            }
            byte[] body = new byte[length - 4];
            in.get(body);
            requests.add(new Request(type, new String(body, ISO_8859_1)));
        }
        unread.reset();
        unread.write(in.array(), in.position(), in.remaining());
    }

    /** Whether nothing is under way or half sent, as far as the server can tell. */
    boolean atRest() {
        return requests.isEmpty() && unread.size() == 0 && !copying && !skipping && status == 'I';
    }

    boolean closed() {
        return closed;
    }

    boolean hasRequest() {
        return !closed && !requests.isEmpty();
    }

    /** Deals with one request; the replies. */
    byte[] step() {
        Request request = requests.remove();
        if (request.type == 'X') {
            closed = true;
        } else if (copying) {
            copied(request);
        } else if (request.type == 'S') {
            skipping = false;
            ready();
        } else if (!skipping) {
            answer(request);
        }
        byte[] all = replies.toByteArray();
        replies.reset();
        return all;
    }

    private void reply(char type, byte... body) {
        replies.write(type);
        replies.writeBytes(
                ByteBuffer.allocate(Integer.BYTES).putInt(4 + body.length).array());
        replies.writeBytes(body);
    }

    private void ready() {
        if (status == 'I') {
            portals.clear();
        }
        reply('Z', (byte) status);
    }

    private void complete(String tag) {
        reply('C', (tag + "\0").getBytes(ISO_8859_1));
    }

    private void fail(boolean simple) {
        reply('E', "SERROR\0C22012\0Mno\0\0".getBytes(ISO_8859_1));
        if (status == 'T') {
            status = 'E';
        }
        rest.clear();
        if (simple) {
            ready();
        } else {
            skipping = true;
        }
    }

    /** @return its names or texts, as far as they end */
    private static String[] strings(String body, int from) {
        return body.substring(Math.min(from, body.length())).split("\0", -1);
    }

    private void answer(Request request) {
        switch (request.type) {
            case 'Q' -> {
                statements.remove("");
                portals.remove("");
                rest.addAll(Arrays.asList(strings(request.body, 0)[0].split(";")));
                simple();
            }
            case 'P' -> {
                String[] texts = strings(request.body, 0);
                if (texts.length < 2 || texts[1].contains("nonsense") || status == 'E') {
                    fail(false);
                } else {
                    statements.put(texts[0], texts[1]);
                    reply('1');
                }
            }
            case 'B' -> {
                String[] names = strings(request.body, 0);
                if (names.length < 3 || !statements.containsKey(names[1]) || status == 'E') {
                    fail(false);
                } else {
                    portals.put(names[0], statements.get(names[1]));
                    reply('2');
                }
            }
            case 'D' -> {
                boolean statement = request.body.startsWith("S");
                String name = strings(request.body, 1)[0];
                if (!(statement ? statements : portals).containsKey(name) || status == 'E') {
                    fail(false);
                } else {
                    if (statement) {
                        reply('t', (byte) 0, (byte) 0);
                    }
                    reply('n');
                }
            }
            case 'E' -> {
                String sql = portals.get(strings(request.body, 0)[0]);
                if (sql == null) {
                    fail(false);
                } else {
                    run(sql, false);
                }
            }
            case 'C' -> {
                String name = strings(request.body, 1)[0];
                (request.body.startsWith("S") ? statements : portals).remove(name);
                reply('3');
            }
            case 'F' -> {
                reply('V', (byte) 0, (byte) 0, (byte) 0, (byte) 0);
                ready();
            }
            case 'H', 'd', 'c', 'f' -> {
                // Nothing to say; what comes of a COPY that has failed already means nothing.
            }
            default -> throw new AssertionError("a message '" + request.type + "' reached the server");
        }
    }

    /** The statements of a simple query, up to one that copies. */
    private void simple() {
        while (!rest.isEmpty()) {
            if (!run(rest.remove(), true)) {
                return;
            }
        }
        ready();
    }

    /** @return whether it is done, and well */
    private boolean run(String sql, boolean simple) {
        if (sql.startsWith(LoginState.QUERY_BEGINNING)) {
            reply('D', (byte) 0, (byte) 1, (byte) 0, (byte) 0, (byte) 0, (byte) 1, (byte) '1');
            complete("SELECT 1");
        } else if (sql.contains("end")) {
            status = 'I';
            complete("COMMIT");
        } else if (status == 'E' || sql.contains("fail")) {
            fail(simple);
            return false;
        } else if (sql.contains("copy")) {
            copying = true;
            copyIsSimple = simple;
            reply('G', (byte) 0, (byte) 0, (byte) 0);
            return false;
        } else if (sql.contains("begin")) {
            status = 'T';
            complete("BEGIN");
        } else {
            if (sql.contains("all")) {
                statements.clear();
            } else if (sql.equals("show max_connections")) {
                reply('D', (byte) 0, (byte) 1, (byte) 0, (byte) 0, (byte) 0, (byte) 3, (byte) '1', (byte) '0', (byte)
                        '0');
            }
            complete("SELECT 1");
        }
        return true;
    }

    /** What a COPY reads: data up to its end, Flush and Sync for nothing, and anything else is an error. */
    private void copied(Request request) {
        switch (request.type) {
            case 'H', 'S' -> {}
            case 'd' -> {
                if (request.body.contains("bad")) {
                    copying = false;
                    fail(copyIsSimple);
                }
            }
            case 'c' -> {
                copying = false;
                complete("COPY 1");
                if (copyIsSimple) {
                    simple();
                }
            }
            default -> {
                copying = false;
                fail(copyIsSimple);
            }
        }
    }
}
