package dev.coppice.proxy.pool;

import dev.coppice.common.LogText;
import dev.coppice.proxy.cancel.CancelTarget;
import dev.coppice.proxy.pool.server.ServerParameters;
import dev.coppice.proxy.pool.sql.SessionSettings;
import dev.coppice.proxy.pool.statement.ReplyQueue;
import dev.coppice.proxy.pool.statement.ServerStatements;
import dev.coppice.proxy.relay.CancelSender;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server connection: belongs to one client at a time, or to none. Confined to the pool's home loop. */
final class PooledServer extends ChannelInboundHandlerAdapter {
    private static final Logger log = LoggerFactory.getLogger(PooledServer.class);

    private final EndpointPool pool;
    private ServerPool serverPool;
    private final Channel channel;
    private final Optional<CancelTarget.Backend> cancelTarget;
    private final ServerParameters parameters;
    private final ServerStatements statements;
    private final ReplyQueue replies;
    private final ReplyStream stream;
    private @Nullable PooledSession session;
    private @Nullable Consumer<String> check;
    private @Nullable SessionSettings settings = SessionSettings.NONE;
    private int cancels;
    private boolean handedBack;
    private boolean needsDiscard;
    private boolean listening;
    private boolean spent;
    private boolean forgotten;
    private boolean served;
    private boolean unflushed;
    private final long openedNanos = System.nanoTime();
    private long idleSinceNanos = openedNanos;

    PooledServer(
            EndpointPool pool,
            ServerPool serverPool,
            Channel channel,
            Optional<CancelTarget.Backend> cancelTarget,
            ServerParameters parameters,
            ServerStatements statements) {
        this.pool = pool;
        this.serverPool = serverPool;
        this.channel = channel;
        this.cancelTarget = cancelTarget;
        this.parameters = parameters;
        this.statements = statements;
        this.replies = new ReplyQueue(statements);
        this.stream = new ReplyStream(this, replies, parameters);
    }

    ServerPool serverPool() {
        return serverPool;
    }

    /** Its login was another one than those of the server pool it was made for. */
    void serverPool(ServerPool other) {
        serverPool = other;
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

    /** It is fit for a client, for the first time or again. */
    void serves() {
        served = true;
    }

    /** Whether it was ever fit for a client. */
    boolean served() {
        return served;
    }

    long idleSinceNanos() {
        return idleSinceNanos;
    }

    /** Whether no message to the client is half sent. */
    boolean atBoundary() {
        return stream.atBoundary();
    }

    /** What it says, and the state that follows from it. */
    ReplyStream stream() {
        return stream;
    }

    /** As {@link ReplyStream#quiet}. */
    boolean quiet() {
        return stream.quiet();
    }

    /** As {@link ServerParameters#changed}. */
    boolean parametersChanged(SessionSettings known) {
        return parameters.changed(known);
    }

    /** The client whose turn it is. */
    @Nullable
    PooledSession session() {
        return session;
    }

    /** Whose settings the session has; null when that is not known. */
    @Nullable
    SessionSettings settings() {
        return settings;
    }

    void settings(@Nullable SessionSettings now) {
        settings = now;
    }

    /** The client leaves something in the session that DISCARD ALL removes. */
    void needsDiscard() {
        needsDiscard = true;
    }

    /** The client leaves something in the session that nothing removes: it is closed when the client is done with it. */
    void spent() {
        spent = true;
    }

    /** Whether it has been open for so long that it is to be replaced. */
    boolean isOlderThan(long nanos) {
        return System.nanoTime() - openedNanos > nanos;
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
        stream.forgetFailure();
    }

    /** Takes it from its client; the pool decides what becomes of it. */
    void unassign() {
        session = null;
        idleSinceNanos = System.nanoTime();
        channel.config().setAutoRead(true);
    }

    /** Writes to the server; takes ownership. */
    void write(ByteBuf bytes) {
        unflushed = true;
        channel.write(bytes, channel.voidPromise());
    }

    /** Sends what was written. */
    void flush() {
        if (unflushed) {
            unflushed = false;
            channel.flush();
        }
    }

    /** As {@link ReplyStream#ask}. */
    void ask(String sql, Consumer<String> answered) {
        stream.ask(channel, sql, answered);
    }

    /**
     * Asks in nobody's name, between two clients.
     *
     * @param answered gets the first value, nothing when there is none, or the connection ends
     */
    void check(String sql, Consumer<String> answered) {
        check = answered;
        ask(sql, answer -> answerCheck(stream.hiddenFailed() ? "" : answer));
    }

    private void answerCheck(String answer) {
        Consumer<String> answered = check;
        check = null;
        if (answered != null) {
            answered.accept(answer);
        }
    }

    /** It breaks the protocol: nothing that it still says matters. */
    void broken(String problem) {
        log.error(
                "a compute of endpoint {} breaks the protocol: {}",
                LogText.field(pool.endpointId()),
                LogText.quoted(problem));
        channel.close();
    }

    /** Makes it fit for the next client, then gives it to the pool; or closes it, where that cannot be done. */
    void handBack() {
        handedBack = true;
        if (!stream.quiet() || !channel.isActive() || spent) {
            channel.close();
        } else if (cancels > 0) {
            log.trace("a cancel request is under way: the server connection waits for it");
        } else if (needsDiscard) {
            needsDiscard = false;
            ask("DISCARD ALL", _ -> {
                if (stream.hiddenFailed()) {
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

    /**
     * Cancels what it does. It does nothing else, for this client or another, before the request has arrived.
     *
     * @param done runs when it has, or cannot
     */
    void cancel(Runnable done) {
        if (cancelTarget.isEmpty()) {
            done.run();
            return;
        }
        cancels++;
        CancelSender.send(pool.connector(), channel.eventLoop(), cancelTarget.get(), told -> {
            cancels--;
            done.run();
            if (!told) {
                // The signal may come at any time, or never.
                channel.close();
            } else if (cancels == 0 && session != null) {
                session.proceed();
            } else if (cancels == 0 && handedBack) {
                handBack();
            }
        });
    }

    /** Whether a cancel request is under way that was meant for what is over: nothing new may begin before it has arrived. */
    boolean awaitsCancel() {
        return cancels > 0 && replies.isEmpty();
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
        answerCheck("");
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
}
