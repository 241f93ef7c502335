package dev.coppice.proxy.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.proxy.cancel.CancelTarget;
import dev.coppice.proxy.pgwire.ClientMessages;
import dev.coppice.proxy.pgwire.MessageStream;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server connection: belongs to one client at a time, or to none. Confined to the pool's home loop. */
final class PooledServer extends ChannelInboundHandlerAdapter {
    private static final Logger log = LoggerFactory.getLogger(PooledServer.class);
    /** ParameterStatus is short; so is the one row that we ask for. */
    private static final int SMALL_MESSAGE_BYTES = 4096;

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

    private final EndpointPool pool;
    private final PoolKey key;
    private final Channel channel;
    private final Optional<CancelTarget.Backend> cancelTarget;
    private final Map<String, String> baseline;
    private final Map<String, String> current = new HashMap<>();
    private final ServerStatements statements;
    private final ReplyQueue replies;
    private final MessageStream stream = new ReplyStream();
    private @Nullable PooledSession session;
    private @Nullable Consumer<String> hiddenQuery;
    private String hiddenAnswer = "";
    private boolean hiddenFailed;
    private boolean ready;
    private boolean quiet = true;
    private boolean failed;
    private boolean copyingIn;
    private boolean hasSet;
    private boolean hasDiscarded;
    private @Nullable SessionSettings settings = SessionSettings.NONE;
    private byte status = IDLE;
    private int cancels;
    private boolean handedBack;
    private boolean needsDiscard;
    private boolean listening;
    private boolean forgotten;
    private long idleSinceNanos = System.nanoTime();

    PooledServer(
            EndpointPool pool,
            PoolKey key,
            Channel channel,
            Optional<CancelTarget.Backend> cancelTarget,
            Map<String, String> baseline,
            int maxStatements) {
        this.pool = pool;
        this.key = key;
        this.channel = channel;
        this.cancelTarget = cancelTarget;
        this.baseline = new HashMap<>(baseline);
        this.current.putAll(baseline);
        this.statements = new ServerStatements(maxStatements);
        this.replies = new ReplyQueue(statements);
    }

    PoolKey key() {
        return key;
    }

    Channel channel() {
        return channel;
    }

    ServerStatements statements() {
        return statements;
    }

    ReplyQueue replies() {
        return replies;
    }

    /** Whether the pool does not count it any more; the first call says no. */
    boolean forgotten() {
        boolean was = forgotten;
        forgotten = true;
        return was;
    }

    long idleSinceNanos() {
        return idleSinceNanos;
    }

    /** The status of the last ReadyForQuery. */
    byte status() {
        return status;
    }

    boolean copyingIn() {
        return copyingIn;
    }

    void copyInEnded() {
        copyingIn = false;
    }

    /** Whether there was an error since this was asked last. */
    boolean takeFailed() {
        boolean was = failed;
        failed = false;
        return was;
    }

    /** Whether no message to the client is half sent. */
    boolean atBoundary() {
        return stream.atBoundary();
    }

    /** Whether the server waits for a request, no transaction is open, and everything was answered. */
    boolean quiet() {
        return quiet;
    }

    /** A request of the client goes to the server now. */
    void asked(Expected expected) {
        replies.add(expected);
        quiet = false;
    }

    /** Whether a parameter that the server reports is not what it was after the login, these aside. */
    boolean parametersChanged(SessionSettings known) {
        for (Map.Entry<String, String> each : current.entrySet()) {
            if (!each.getValue().equals(baseline.get(each.getKey())) && !known.has(each.getKey())) {
                return true;
            }
        }
        return false;
    }

    /** Whose settings the session has; null when that is not known. */
    @Nullable
    SessionSettings settings() {
        return settings;
    }

    void settings(@Nullable SessionSettings now) {
        settings = now;
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

    /** Whether the query of ours that was just answered failed. */
    boolean hiddenFailed() {
        return hiddenFailed;
    }

    /** The client leaves something in the session that DISCARD ALL removes. */
    void needsDiscard() {
        needsDiscard = true;
    }

    /** The client has sent a DISCARD ALL itself, and it was done. */
    void discarded() {
        needsDiscard = false;
        listening = false;
        settings = SessionSettings.NONE;
    }

    void listens() {
        listening = true;
    }

    void assign(PooledSession to) {
        session = to;
        handedBack = false;
        failed = false;
    }

    /** Takes it from its client; the pool decides what becomes of it. */
    void unassign() {
        session = null;
        idleSinceNanos = System.nanoTime();
        channel.config().setAutoRead(true);
    }

    /** Writes to the server; takes ownership. */
    void write(ByteBuf bytes) {
        channel.write(bytes, channel.voidPromise());
    }

    /** Runs a query of ours, whose answer is not the client's. The callback gets the first value, if there is one. */
    void ask(String sql, Consumer<String> answered) {
        hiddenQuery = answered;
        hiddenAnswer = "";
        hiddenFailed = false;
        replies.add(Expected.HIDDEN_QUERY);
        quiet = false;
        channel.writeAndFlush(ClientMessages.query(channel.alloc(), sql), channel.voidPromise());
    }

    /** Makes it fit for the next client, then gives it to the pool; or closes it, where that cannot be done. */
    void handBack() {
        handedBack = true;
        if (!quiet || !channel.isActive()) {
            channel.close();
        } else if (cancels > 0) {
            log.trace("a cancel request is under way: the server connection waits for it");
        } else if (needsDiscard) {
            needsDiscard = false;
            ask("DISCARD ALL", _ -> {
                if (hiddenFailed) {
                    channel.close();
                    return;
                }
                statements.clear();
                discarded();
                handBack();
            });
        } else if (listening) {
            listening = false;
            ask("UNLISTEN *", _ -> handBack());
        } else {
            pool.available(this);
        }
    }

    /** Cancels what it does. It goes to no other client before the request has arrived. */
    void cancel() {
        cancelTarget.ifPresent(target -> {
            cancels++;
            pool.sendCancel(target)
                    .closeFuture()
                    .addListener(_ -> channel.eventLoop().execute(() -> {
                        cancels--;
                        if (handedBack && cancels == 0 && session == null) {
                            handBack();
                        }
                    }));
        });
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        stream.append(ctx.alloc(), (ByteBuf) message);
        stream.process();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (session != null) {
            session.flushToClient();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (session != null) {
            session.readClient(ctx.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        boolean wasAtBoundary = stream.atBoundary();
        stream.release();
        PooledSession lost = session;
        session = null;
        pool.gone(this);
        if (lost != null) {
            lost.serverLost(wasAtBoundary);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A reset connection, mostly; what follows from it follows from the close.
        log.debug("server connection: {}", cause.toString());
        ctx.close();
    }

    /** What the server says. */
    private final class ReplyStream extends MessageStream {
        @Override
        protected int needed(byte type) {
            return switch (type) {
                case 'S' -> SMALL_MESSAGE_BYTES;
                case 'Z' -> READY_FOR_QUERY_BYTES;
                case 'C' -> SET_BYTES;
                case 'D' -> replies.next() == Expected.Kind.HIDDEN_QUERY ? SMALL_MESSAGE_BYTES : HEADER_BYTES;
                default -> HEADER_BYTES;
            };
        }

        @Override
        protected Verdict message(byte type, int totalBytes, ByteBuf in) {
            Expected.Kind expected = replies.next();
            if (type == 'S') {
                parameter(totalBytes, in);
            }
            if (type == 'Z') {
                return readyForQuery(in.getByte(in.readerIndex() + HEADER_BYTES));
            }
            if (expected == Expected.Kind.HIDDEN_QUERY) {
                hidden(type, totalBytes, in);
                return Verdict.DROP;
            }
            if (session == null || type == 'A') {
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
                    if (expected == Expected.Kind.EXECUTE) {
                        replies.copyingIn();
                    }
                    yield Verdict.PASS;
                }
                case 'E' -> {
                    failed = true;
                    copyingIn = false;
                    if (expected != null && expected != Expected.Kind.QUERY) {
                        replies.failed();
                    }
                    yield Verdict.PASS;
                }
                default -> Verdict.PASS;
            };
        }

        private void noteTag(int totalBytes, ByteBuf in) {
            int start = in.readerIndex() + HEADER_BYTES;
            hasSet = (totalBytes == SET_BYTES && in.getMedium(start) == SET)
                    || (totalBytes == RESET_BYTES && in.getMedium(start) == RES);
            hasDiscarded |= totalBytes == DISCARD_ALL_BYTES && in.getMedium(start) == DIS;
        }

        private Verdict completed(Expected.Kind shown, Expected.Kind hidden) {
            boolean wasShown = replies.take(shown);
            boolean wasHidden = !wasShown && replies.take(hidden);
            boolean localFollows =
                    replies.next() == Expected.Kind.LOCAL_PARSE || replies.next() == Expected.Kind.LOCAL_CLOSE;
            if (wasHidden) {
                if (localFollows) {
                    passBefore();
                    settled();
                }
                return Verdict.DROP;
            }
            return localFollows ? Verdict.PASS_AND_SETTLE : Verdict.PASS;
        }

        private Verdict readyForQuery(byte newStatus) {
            Expected.Kind ended = replies.takeReady();
            status = newStatus;
            copyingIn = false;
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
            return session == null ? Verdict.DROP : Verdict.PASS_AND_SETTLE;
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

        private void parameter(int totalBytes, ByteBuf in) {
            if (totalBytes > SMALL_MESSAGE_BYTES) {
                return;
            }
            int start = in.readerIndex() + HEADER_BYTES;
            int end = in.readerIndex() + totalBytes;
            int zero = in.indexOf(start, end, (byte) 0);
            if (zero < 0 || zero + 1 >= end) {
                return;
            }
            String name = in.toString(start, zero - start, UTF_8);
            String value = in.toString(zero + 1, Math.max(0, end - 1 - (zero + 1)), UTF_8);
            current.put(name, value);
            if (session == null && replies.isEmpty()) {
                // The compute's configuration was changed.
                baseline.put(name, value);
            }
        }

        @Override
        protected void pass(ByteBuf bytes) {
            if (session == null) {
                bytes.release();
            } else {
                session.fromServer(bytes);
            }
        }

        @Override
        protected void settled() {
            PooledSession to = session;
            if (to == null) {
                return;
            }
            to.answerLocally();
            if (ready) {
                ready = false;
                to.serverReady();
            }
        }

        @Override
        protected void violated(String problem) {
            log.error("a compute of endpoint {} breaks the protocol: {}", pool.endpointId(), problem);
            channel.close();
        }
    }
}
