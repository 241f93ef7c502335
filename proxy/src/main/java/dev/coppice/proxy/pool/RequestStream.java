package dev.coppice.proxy.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.pgwire.ClientMessages;
import dev.coppice.proxy.pgwire.MessageStream;
import dev.coppice.proxy.pool.sql.Inspection;
import dev.coppice.proxy.pool.sql.PinReason;
import dev.coppice.proxy.pool.sql.SqlInspector;
import dev.coppice.proxy.pool.statement.ClientStatements;
import dev.coppice.proxy.pool.statement.Expected;
import dev.coppice.proxy.pool.statement.PreparedStatement;
import dev.coppice.proxy.pool.statement.ServerStatements;
import dev.coppice.proxy.pool.statement.StatementKey;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import org.jspecify.annotations.Nullable;

/** What the client of a pooled endpoint says: looked through, and its prepared statements given the server's names. */
final class RequestStream extends MessageStream {
    /** A query longer than this is not looked through, in bytes. */
    static final int MAX_INSPECTED_BYTES = 1 << 20;
    /** Names of portals and statements end within this, in bytes; Postgres's own identifiers have 63. */
    private static final int MAX_NAMES_BYTES = 8 << 10;
    /** Types of the messages that a client may send in a session. */
    private static final String REQUESTS = "dcfHSQPBDCEF";

    private final PooledSession session;
    private final ByteBufAllocator alloc;
    private final ClientStatements statements;
    private boolean waits;
    private boolean flushed;
    private boolean copyBound;
    private boolean unnamedIsUsed;

    RequestStream(PooledSession session, ByteBufAllocator alloc, ClientStatements statements) {
        this.session = session;
        this.alloc = alloc;
        this.statements = statements;
    }

    /** Whether a message is there that cannot go on yet. */
    boolean waits() {
        return waits;
    }

    private Verdict waiting() {
        waits = true;
        return Verdict.WAIT;
    }

    @Override
    protected int needed(byte type) {
        return switch (type) {
            case 'Q', 'P' -> MAX_INSPECTED_BYTES;
            case 'B', 'D', 'C' -> MAX_NAMES_BYTES;
            default -> HEADER_BYTES;
        };
    }

    @Override
    protected Verdict message(byte type, int totalBytes, ByteBuf in) {
        waits = false;
        if (type == 'X') {
            passBefore();
            session.terminated();
            return Verdict.DROP;
        }
        if (session.failing()) {
            return skip(type);
        }
        PooledServer server = session.server();
        if (server != null && server.stream().mayCopy()) {
            return awaitCopy(server);
        }
        if (server != null && (server.stream().checking() || server.awaitsCancel())) {
            return waiting();
        }
        if (server != null && server.stream().copyingIn() && REQUESTS.indexOf(type) >= 0) {
            return copied(server, type);
        }
        switch (type) {
            case 'd', 'c', 'f' -> {
                // What still comes of a COPY that has failed means nothing.
                return Verdict.DROP;
            }
            case 'H' -> {
                return server == null || server.quiet() ? Verdict.DROP : Verdict.PASS;
            }
            case 'S' -> {
                return sync(server);
            }
            case 'Q', 'P', 'B', 'D', 'C', 'E', 'F' -> {}
            default -> {
                passBefore();
                violated("message of type " + type);
                return Verdict.DROP;
            }
        }
        if (server == null) {
            passBefore();
            server = session.acquire();
            if (server == null) {
                // Either it has to wait, or it cannot be had.
                return session.failing() ? skip(type) : waiting();
            }
            copyBound = false;
        }
        if (session.applying()) {
            return waiting();
        }
        if (server.replies().skipping()) {
            return Verdict.DROP;
        }
        return switch (type) {
            case 'Q' -> query(server, totalBytes, in);
            case 'P' -> parse(server, totalBytes, in);
            case 'B' -> bind(server, totalBytes, in);
            case 'D' -> describe(server, totalBytes, in);
            case 'C' -> close(server, totalBytes, in);
            case 'E' -> {
                server.stream().asked(Expected.EXECUTE);
                if (copyBound) {
                    copyAsked(server);
                }
                yield Verdict.PASS;
            }
            default -> {
                server.stream().asked(Expected.QUERY);
                yield Verdict.PASS;
            }
        };
    }

    private void copyAsked(PooledServer server) {
        server.stream().copyAsked();
        flushed = false;
    }

    /**
     * Whether a Sync behind a COPY is answered depends on whether the COPY has begun to read. So nothing goes on before the
     * server has said; a Flush makes it say so.
     */
    private Verdict awaitCopy(PooledServer server) {
        passBefore();
        if (!flushed) {
            flushed = true;
            server.write(ClientMessages.flush(alloc));
        }
        return waiting();
    }

    /** What a COPY reads. Flush and Sync mean nothing to it, and anything else ends it with an error. */
    private Verdict copied(PooledServer server, byte type) {
        return switch (type) {
            case 'd' -> Verdict.PASS;
            case 'c', 'f' -> {
                server.stream().copyInEnded();
                flushed = false;
                yield Verdict.PASS;
            }
            case 'H', 'S' -> Verdict.DROP;
            default -> {
                passBefore();
                server.write(ClientMessages.copyFail(
                        alloc, "unexpected message type 0x%02X during COPY from stdin".formatted(type)));
                server.stream().copyInEnded();
                flushed = false;
                yield Verdict.DROP;
            }
        };
    }

    /** The client was told an error of ours; as after one of a server, it is heard again from its Sync on. */
    private Verdict skip(byte type) {
        passBefore();
        session.skipped(type);
        return Verdict.DROP;
    }

    private Verdict sync(@Nullable PooledServer server) {
        if (server == null) {
            passBefore();
            session.readyLocally();
            return Verdict.DROP;
        }
        PreparedStatement unnamed = statements.get("");
        if (unnamed != null
                && unnamed.key() == null
                && !unnamedIsUsed
                && server.statements().hasUnnamed(unnamed)
                && !server.replies().skipping()) {
            // It is prepared for later: then it may have to be prepared elsewhere, and must mean the same.
            passBefore();
            describe(server, unnamed, "");
        }
        server.stream().asked(Expected.SYNC);
        return Verdict.PASS;
    }

    /** Asks what the server understands by a statement. */
    private void describe(PooledServer server, PreparedStatement statement, String serverName) {
        server.stream().asked(Expected.hiddenDescribe(statement, session.trace().forParsing(server)));
        server.write(ClientMessages.describeStatement(alloc, serverName));
    }

    private Verdict query(PooledServer server, int totalBytes, ByteBuf in) {
        int start = in.readerIndex() + HEADER_BYTES;
        Inspection found = totalBytes > MAX_INSPECTED_BYTES
                ? Inspection.pinned(PinReason.LONG_QUERY)
                : SqlInspector.inspect(in, start, Math.max(start, in.readerIndex() + totalBytes - 1));
        if (!found.isNothing()) {
            String mine = found.deallocates().orElse("");
            if (!mine.isEmpty()
                    && statements.get(mine) != null
                    && server.replies().isEmpty()) {
                statements.remove(mine);
                passBefore();
                session.deallocatedLocally(server.stream().status());
                return Verdict.DROP;
            }
            if (!session.inspected(server, found)) {
                return waiting();
            }
            if (found.deallocatesAll()) {
                statements.clear();
                server.statements().clear();
            }
        }
        // As in Postgres, a simple query takes the unnamed statement with it.
        if (statements.get("") == null) {
            server.stream().asked(Expected.QUERY);
        } else {
            server.stream().asked(Expected.QUERY.with(statements.undo("")));
            statements.remove("");
        }
        server.statements().unnamed(null);
        if (found.copies()) {
            copyAsked(server);
        }
        return Verdict.PASS;
    }

    private Verdict parse(PooledServer server, int totalBytes, ByteBuf in) {
        int start = in.readerIndex() + HEADER_BYTES;
        int end = in.readerIndex() + totalBytes;
        boolean whole = totalBytes <= MAX_INSPECTED_BYTES;
        int nameEnd = in.indexOf(start, Math.min(end, start + MAX_NAMES_BYTES), (byte) 0);
        if (nameEnd < 0 || (!whole && nameEnd != start)) {
            return refuse(
                    nameEnd < 0
                            ? "malformed Parse message"
                            : "a named prepared statement may have " + MAX_INSPECTED_BYTES
                                    + " bytes at a pooled endpoint");
        }
        if (!whole) {
            session.trace().pin(server, PinReason.LONG_QUERY);
            PreparedStatement unkept = PreparedStatement.unkept();
            server.stream().asked(Expected.parse(unkept, statements.undo("")));
            statements.put("", unkept);
            server.statements().unnamed(unkept);
            return Verdict.PASS;
        }
        byte[] content = ByteBufUtil.getBytes(in, nameEnd + 1, end - nameEnd - 1, true);
        int queryEnd = in.indexOf(nameEnd + 1, end, (byte) 0);
        Inspection found = SqlInspector.inspect(content, 0, queryEnd < 0 ? content.length : queryEnd - nameEnd - 1);
        if (!found.isNothing()) {
            if (!session.inspected(server, found)) {
                return waiting();
            }
            if (found.deallocatesAll()) {
                statements.clear();
                server.statements().clear();
            }
        }
        String name = in.toString(start, nameEnd - start, UTF_8);
        PreparedStatement before = name.isEmpty() ? null : statements.get(name);
        if (before != null) {
            return parseAgain(server, before, content);
        }
        PreparedStatement statement = new PreparedStatement(content, found.copies());
        ClientStatements.Undo undo = statements.undo(name);
        if (!statements.put(name, statement)) {
            return refuse("too many prepared statements");
        }
        if (name.isEmpty()) {
            unnamedIsUsed = false;
            server.statements().unnamed(statement);
            server.stream().asked(Expected.parse(statement, undo));
            return Verdict.PASS;
        }
        passBefore();
        prepare(server, statement, server.statements().add(statement, true), Expected.parse(statement, undo), content);
        return Verdict.DROP;
    }

    /** The client has a statement of that name: a server that has it too says what is wrong with that, or with the query. */
    private Verdict parseAgain(PooledServer server, PreparedStatement before, byte[] content) {
        passBefore();
        String known = server.statements().name(before);
        if (known == null) {
            known = server.statements().add(before, true);
            prepare(server, before, known, Expected.hiddenParse(before), declared(before));
        }
        server.stream().asked(Expected.parseAgain());
        server.write(ClientMessages.parse(alloc, known, content));
        return Verdict.DROP;
    }

    /** Sends a Parse of ours, asks what is understood by it, and closes what is too much then. */
    private void prepare(
            PooledServer server, PreparedStatement statement, String name, Expected expected, byte[] content) {
        server.stream().asked(expected);
        server.write(ClientMessages.parse(alloc, name, content));
        describe(server, statement, name);
        for (ServerStatements.Evicted evicted = server.statements().evict();
                evicted != null;
                evicted = server.statements().evict()) {
            server.stream().asked(Expected.hiddenClose(evicted));
            server.write(ClientMessages.closeStatement(alloc, evicted.prepared().name()));
        }
    }

    /** What the client has prepared, with the types that a server has found for it. */
    private static byte[] declared(PreparedStatement statement) {
        StatementKey key = statement.key();
        return key == null ? statement.content() : key.shape().declaredIn(key.content());
    }

    /**
     * Sees to it that the server has the statement that the client knows by this name.
     *
     * @return its name there; null when it has to be waited for until the server has said that it understands the same
     */
    private @Nullable String serverName(PooledServer server, String name) {
        PreparedStatement statement = statements.get(name);
        if (statement == null) {
            if (name.isEmpty() && !server.statements().hasUnnamed(null)) {
                // It is another client's.
                server.statements().unnamed(null);
                server.stream().asked(Expected.hiddenClose(ServerStatements.unnamedOfOthers()));
                server.write(ClientMessages.closeStatement(alloc, ""));
            }
            // The server says that there is none, and must not find another client's.
            return name.startsWith(ServerStatements.NAME_PREFIX) ? "?" + name : name;
        }
        String known = name.isEmpty() && server.statements().hasUnnamed(statement)
                ? name
                : server.statements().name(statement);
        if (known != null) {
            return known;
        }
        if (server.statements().takeChanged(statement)) {
            return ServerStatements.NONE;
        }
        boolean checks = statement.key() != null;
        if (name.isEmpty()) {
            server.statements().unnamed(statement);
            server.stream().asked(Expected.hiddenParse(statement));
            server.write(ClientMessages.parse(alloc, "", declared(statement)));
            if (checks) {
                describe(server, statement, "");
            }
            known = name;
        } else {
            known = server.statements().add(statement, !checks);
            prepare(server, statement, known, Expected.hiddenParse(statement), declared(statement));
        }
        if (checks) {
            server.write(ClientMessages.flush(alloc));
            server.stream().checks();
            return null;
        }
        return known;
    }

    /** Bind: String portal, String statement, and the rest. */
    private Verdict bind(PooledServer server, int totalBytes, ByteBuf in) {
        int start = in.readerIndex() + HEADER_BYTES;
        int limit = Math.min(in.readerIndex() + totalBytes, start + MAX_NAMES_BYTES - HEADER_BYTES);
        int portalEnd = in.indexOf(start, limit, (byte) 0);
        int nameEnd = portalEnd < 0 ? -1 : in.indexOf(portalEnd + 1, limit, (byte) 0);
        if (nameEnd < 0) {
            return refuse("malformed Bind message");
        }
        String name = in.toString(portalEnd + 1, nameEnd - portalEnd - 1, UTF_8);
        passBefore();
        String serverName = serverName(server, name);
        if (serverName == null) {
            return waiting();
        }
        PreparedStatement bound = statements.get(name);
        copyBound = (copyBound && !server.quiet()) || (bound != null && bound.copies());
        unnamedIsUsed |= name.isEmpty();
        server.stream().asked(serverName.equals(ServerStatements.NONE) ? Expected.CHANGED : Expected.BIND);
        if (serverName.equals(name)) {
            return Verdict.PASS;
        }
        int replaced = nameEnd + 1 - in.readerIndex();
        ByteBuf portal = in.slice(start, portalEnd + 1 - start);
        replace(ClientMessages.bindBeginning(alloc, portal, serverName, totalBytes - replaced), replaced);
        return Verdict.PASS_REST;
    }

    private Verdict describe(PooledServer server, int totalBytes, ByteBuf in) {
        String name = statementNamed(totalBytes, in);
        if (name == null) {
            server.stream().asked(Expected.DESCRIBE);
            return Verdict.PASS;
        }
        passBefore();
        String serverName = serverName(server, name);
        if (serverName == null) {
            return waiting();
        }
        server.stream().asked(serverName.equals(ServerStatements.NONE) ? Expected.CHANGED : Expected.DESCRIBE);
        if (serverName.equals(name)) {
            return Verdict.PASS;
        }
        server.write(ClientMessages.describeStatement(alloc, serverName));
        return Verdict.DROP;
    }

    private Verdict close(PooledServer server, int totalBytes, ByteBuf in) {
        String name = statementNamed(totalBytes, in);
        if (name == null) {
            server.stream().asked(Expected.CLOSE);
            return Verdict.PASS;
        }
        // The server keeps it for others, and for this client's next time.
        Expected expected = Expected.LOCAL_CLOSE.with(statements.undo(name));
        statements.remove(name);
        passBefore();
        server.replies().add(expected);
        session.answerLocally();
        return Verdict.DROP;
    }

    /** The name in a Describe or Close of a statement; null when it is of a portal. */
    private static @Nullable String statementNamed(int totalBytes, ByteBuf in) {
        int start = in.readerIndex() + HEADER_BYTES;
        int end = in.readerIndex() + Math.min(totalBytes, MAX_NAMES_BYTES);
        if (totalBytes <= HEADER_BYTES || in.getByte(start) != 'S') {
            return null;
        }
        int nameEnd = in.indexOf(start + 1, end, (byte) 0);
        return nameEnd < 0 ? null : in.toString(start + 1, nameEnd - start - 1, UTF_8);
    }

    private Verdict refuse(String problem) {
        passBefore();
        violated(problem);
        return Verdict.DROP;
    }

    @Override
    protected void pass(ByteBuf bytes) {
        session.toServer(bytes);
    }

    @Override
    protected void settled() {
        throw new IllegalStateException("requests are not settled");
    }

    @Override
    protected void violated(String problem) {
        session.violation(problem);
    }
}
