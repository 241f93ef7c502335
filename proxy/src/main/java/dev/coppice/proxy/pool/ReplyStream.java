package dev.coppice.proxy.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.pgwire.ClientMessages;
import dev.coppice.proxy.pgwire.MessageStream;
import dev.coppice.proxy.pool.server.ErrorText;
import dev.coppice.proxy.pool.server.ServerParameters;
import dev.coppice.proxy.pool.statement.Expected;
import dev.coppice.proxy.pool.statement.ReplyQueue;
import dev.coppice.proxy.pool.statement.ServerStatements;
import dev.coppice.proxy.pool.statement.StatementShape;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a server says: paired with what it was asked, given to the client whose turn it is, and remembered as far as it tells in
 * which state the server is.
 */
final class ReplyStream extends MessageStream {
    /** ParameterStatus is short; so is the one row that we ask for. */
    private static final int SMALL_MESSAGE_BYTES = 4096;

    /** Of what describes a statement: 65,535 parameters, 1,664 columns. */
    private static final int DESCRIPTION_BYTES = 512 << 10;
    /** An error is looked through this far. */
    private static final int ERROR_BYTES = 64 << 10;

    private static final int READY_FOR_QUERY_BYTES = 6;
    private static final byte IDLE = 'I';
    /** CommandComplete with the tag SET, and what it begins with. */
    private static final int SET_BYTES = 9;

    private static final int SET = 'S' << 16 | 'E' << 8 | 'T';
    /** CommandComplete with the tag RESET, and what it begins with. */
    private static final int RESET_BYTES = 11;

    private static final int RES = 'R' << 16 | 'E' << 8 | 'S';
    /** CommandComplete with the tag DISCARD ALL, and what it begins with. */
    private static final int DISCARD_ALL_BYTES = 17;

    private static final int DIS = 'D' << 16 | 'I' << 8 | 'S';

    private final PooledServer server;
    private final ReplyQueue replies;
    private final ServerParameters parameters;
    private @Nullable Consumer<String> hiddenQuery;
    private String hiddenAnswer = "";
    private boolean hiddenFailed;
    private boolean ready;
    private boolean quiet = true;
    private boolean failed;
    private boolean mayCopy;
    private boolean copyingIn;
    private boolean copyDecided;
    private boolean hasSet;
    private boolean hasDiscarded;
    private boolean broken;
    private boolean checking;
    private boolean checked;
    private boolean saidFarewell;
    private byte[] parameterTypes = new byte[0];
    private byte status = IDLE;

    ReplyStream(PooledServer server, ReplyQueue replies, ServerParameters parameters) {
        this.server = server;
        this.replies = replies;
        this.parameters = parameters;
    }

    /** The status of the last ReadyForQuery. */
    byte status() {
        return status;
    }

    /** The request that goes now may be a COPY from the client. Nothing may follow before {@link #mayCopy} says no. */
    void copyAsked() {
        mayCopy = true;
    }

    /** Whether it is open who reads what the client sends next: a COPY, or the server as its next request. */
    boolean mayCopy() {
        return mayCopy;
    }

    /** Whether a COPY reads what the client sends. */
    boolean copyingIn() {
        return copyingIn;
    }

    /** Whether it is open what the server understands by a statement that the client is about to use. */
    boolean checking() {
        return checking;
    }

    /** A Describe of ours, and a Flush, have gone: nothing may follow before {@link #checking} says no. */
    void checks() {
        checking = true;
    }

    /** Whether the server has said that it ends the session. */
    boolean saidFarewell() {
        return saidFarewell;
    }

    /** CopyDone or CopyFail goes now. In a simple query another COPY may follow. */
    void copyInEnded() {
        copyingIn = false;
        mayCopy = replies.next() == Expected.Kind.QUERY;
    }

    /** Whether the server waits for a request, no transaction is open, and everything was answered. */
    boolean quiet() {
        return quiet;
    }

    /** A request goes to the server now. */
    void asked(Expected expected) {
        replies.add(expected);
        quiet = false;
    }

    /** Runs a query of ours, whose answer is not the client's. The callback gets the first value, if there is one. */
    void ask(Channel channel, String sql, Consumer<String> answered) {
        hiddenQuery = answered;
        hiddenAnswer = "";
        hiddenFailed = false;
        asked(Expected.HIDDEN_QUERY);
        channel.writeAndFlush(ClientMessages.query(channel.alloc(), sql), channel.voidPromise());
    }

    /** Whether the query of ours that was just answered failed. */
    boolean hiddenFailed() {
        return hiddenFailed;
    }

    /** Errors before now are the last client's. */
    void forgetFailure() {
        failed = false;
    }

    /** Whether there was an error since this was asked last. */
    boolean takeFailed() {
        boolean was = failed;
        failed = false;
        return was;
    }

    /** Whether the statement that ran last ended with the command tag SET or RESET. */
    boolean takeHasSet() {
        boolean was = hasSet;
        hasSet = false;
        return was;
    }

    /** Whether a DISCARD ALL was done since this was asked last. */
    boolean takeHasDiscarded() {
        boolean was = hasDiscarded;
        hasDiscarded = false;
        return was;
    }

    @Override
    protected int needed(byte type) {
        return switch (type) {
            case 'S' -> SMALL_MESSAGE_BYTES;
            case 'Z' -> READY_FOR_QUERY_BYTES;
            case 'C' -> SET_BYTES;
            case 'D' -> replies.next() == Expected.Kind.HIDDEN_QUERY ? SMALL_MESSAGE_BYTES : HEADER_BYTES;
            case 't', 'T', 'n' -> replies.next() == Expected.Kind.HIDDEN_DESCRIBE ? DESCRIPTION_BYTES : HEADER_BYTES;
            case 'E' -> ERROR_BYTES;
            default -> HEADER_BYTES;
        };
    }

    @Override
    protected Verdict message(byte type, int totalBytes, ByteBuf in) {
        Expected.Kind expected = replies.next();
        if (broken) {
            return Verdict.DROP;
        }
        if ((expected == null && !comesUnasked(type)) || (type == 'Z' && totalBytes != READY_FOR_QUERY_BYTES)) {
            passBefore();
            violated("unasked or malformed message of type " + type);
            return Verdict.DROP;
        }
        if (type == 'S' && totalBytes <= SMALL_MESSAGE_BYTES) {
            // What comes in nobody's session is the compute's configuration, changed.
            boolean configured = server.session() == null && replies.isEmpty();
            if (!parameters.reported(in, in.readerIndex(), totalBytes, configured)) {
                passBefore();
                violated("more than " + ServerParameters.MAX_PARAMETERS + " parameters");
                return Verdict.DROP;
            }
        }
        if (type == 'Z') {
            return readyForQuery(in.getByte(in.readerIndex() + HEADER_BYTES));
        }
        if (expected == Expected.Kind.HIDDEN_QUERY) {
            hidden(type, totalBytes, in);
            return Verdict.DROP;
        }
        if (expected == Expected.Kind.HIDDEN_DESCRIBE && (type == 't' || type == 'T' || type == 'n')) {
            described(type, totalBytes, in);
            return Verdict.DROP;
        }
        if (server.session() == null || type == 'A') {
            // Notifications come from the hub. What a server says between two clients is nobody's.
            return Verdict.DROP;
        }
        return switch (type) {
            case '1' -> completed(Expected.Kind.PARSE, Expected.Kind.HIDDEN_PARSE);
            case '2' -> completed(Expected.Kind.BIND, Expected.Kind.BIND);
            case '3' -> completed(Expected.Kind.CLOSE, Expected.Kind.HIDDEN_CLOSE);
            case 'T', 'n' -> completed(Expected.Kind.DESCRIBE, Expected.Kind.DESCRIBE);
            case 'C' -> {
                noteTag(totalBytes, in);
                yield completed(Expected.Kind.EXECUTE, Expected.Kind.EXECUTE);
            }
            case 'I', 's' -> completed(Expected.Kind.EXECUTE, Expected.Kind.EXECUTE);
            case 'G', 'W' -> {
                copyingIn = true;
                mayCopy = false;
                copyDecided = true;
                yield Verdict.PASS_AND_SETTLE;
            }
            // What a Parse of ours has to remark, the client's own has remarked already.
            case 'N' ->
                expected == Expected.Kind.HIDDEN_PARSE || expected == Expected.Kind.HIDDEN_DESCRIBE
                        ? Verdict.DROP
                        : Verdict.PASS;
            case 'E' -> error(expected, totalBytes, in);
            default -> Verdict.PASS;
        };
    }

    private Verdict error(Expected.@Nullable Kind expected, int totalBytes, ByteBuf in) {
        failed = true;
        copyingIn = false;
        saidFarewell |= ErrorText.endsSession(in, totalBytes);
        PooledSession to = server.session();
        ByteBuf instead = null;
        if (expected == Expected.Kind.CHANGED && to != null) {
            instead = to.changedResult();
        } else if (to != null && ErrorText.names(in, totalBytes, ServerStatements.NAME_PREFIX)) {
            instead = ErrorText.renamed(in, totalBytes, ServerStatements.NAME_PREFIX, to::clientName);
        }
        if (expected != null && expected != Expected.Kind.QUERY) {
            replies.failed();
        }
        if (checking) {
            checking = false;
            checked = true;
        }
        boolean settles = executed() || checked;
        if (instead == null || to == null) {
            return settles ? Verdict.PASS_AND_SETTLE : Verdict.PASS;
        }
        passBefore();
        to.fromServer(instead);
        if (settles) {
            settled();
        }
        return Verdict.DROP;
    }

    /** What the server understands by a statement: ParameterDescription, then RowDescription or NoData. */
    private void described(byte type, int totalBytes, ByteBuf in) {
        boolean whole = in.readableBytes() >= totalBytes;
        if (type == 't') {
            parameterTypes = whole ? StatementShape.parameterTypes(in, totalBytes) : new byte[0];
            return;
        }
        Expected asked = replies.peek();
        if (whole && asked != null && asked.statement() != null) {
            server.statements()
                    .understood(asked.statement(), asked.settings(), StatementShape.of(parameterTypes, in, totalBytes));
        }
        replies.take(Expected.Kind.HIDDEN_DESCRIBE);
        if (checking) {
            checking = false;
            checked = true;
        }
        if (checked || localFollows()) {
            passBefore();
            settled();
        }
    }

    private boolean localFollows() {
        return replies.next() == Expected.Kind.LOCAL_CLOSE;
    }

    /** Parameters, notices, notifications, and the error of a server that shuts down. */
    private static boolean comesUnasked(byte type) {
        return type == 'S' || type == 'N' || type == 'A' || type == 'E';
    }

    private void noteTag(int totalBytes, ByteBuf in) {
        int start = in.readerIndex() + HEADER_BYTES;
        hasSet = (totalBytes == SET_BYTES && in.getMedium(start) == SET)
                || (totalBytes == RESET_BYTES && in.getMedium(start) == RES);
        hasDiscarded |= totalBytes == DISCARD_ALL_BYTES && in.getMedium(start) == DIS;
    }

    /** Whether the Execute that might have been a COPY, and is the last thing asked, is over. */
    private boolean executed() {
        if (!mayCopy || !replies.isEmpty()) {
            return false;
        }
        mayCopy = false;
        copyDecided = true;
        return true;
    }

    private Verdict completed(Expected.Kind shown, Expected.Kind hidden) {
        boolean wasShown = replies.take(shown);
        boolean wasHidden = !wasShown && replies.take(hidden);
        boolean localFollows = localFollows();
        if (wasHidden) {
            if (localFollows) {
                passBefore();
                settled();
            }
            return Verdict.DROP;
        }
        return executed() || localFollows ? Verdict.PASS_AND_SETTLE : Verdict.PASS;
    }

    private Verdict readyForQuery(byte newStatus) {
        Expected.Kind ended = replies.takeReady();
        status = newStatus;
        copyingIn = false;
        checking = false;
        if (replies.isEmpty()) {
            mayCopy = false;
        }
        quiet = status == IDLE && replies.isEmpty();
        if (ended == Expected.Kind.HIDDEN_QUERY) {
            Consumer<String> answered = hiddenQuery;
            hiddenQuery = null;
            if (answered != null) {
                answered.accept(hiddenAnswer);
            }
            return Verdict.DROP;
        }
        ready = true;
        return server.session() == null ? Verdict.DROP : Verdict.PASS_AND_SETTLE;
    }

    private void hidden(byte type, int totalBytes, ByteBuf in) {
        if (type == 'E') {
            hiddenFailed = true;
        } else if (type == 'D' && hiddenAnswer.isEmpty() && totalBytes <= SMALL_MESSAGE_BYTES) {
            // Int16 number of columns, then for each: Int32 length, bytes.
            int start = in.readerIndex() + HEADER_BYTES + Short.BYTES;
            int length = totalBytes > HEADER_BYTES + Short.BYTES + Integer.BYTES ? in.getInt(start) : -1;
            if (length > 0 && start + Integer.BYTES + length <= in.readerIndex() + totalBytes) {
                hiddenAnswer = in.toString(start + Integer.BYTES, length, UTF_8);
            }
        }
    }

    @Override
    protected void pass(ByteBuf bytes) {
        PooledSession to = server.session();
        if (to == null) {
            bytes.release();
        } else {
            to.fromServer(bytes);
        }
    }

    @Override
    protected void settled() {
        PooledSession to = server.session();
        if (to == null) {
            return;
        }
        to.answerLocally();
        boolean decided = copyDecided || checked;
        copyDecided = false;
        checked = false;
        if (ready) {
            ready = false;
            to.serverReady();
        } else if (decided) {
            to.proceed();
        }
    }

    @Override
    protected void violated(String problem) {
        broken = true;
        server.broken(problem);
    }
}
