package dev.coppice.proxy.pool;

import static java.util.Objects.requireNonNull;

import dev.coppice.common.LogText;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.pool.sql.Inspection;
import dev.coppice.proxy.pool.sql.PinReason;
import dev.coppice.proxy.pool.sql.SessionSettings;
import dev.coppice.proxy.pool.statement.ClientStatements;
import dev.coppice.proxy.pool.statement.Expected;
import dev.coppice.proxy.relay.LiveSession;
import dev.coppice.proxy.relay.SessionEnd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of a pooled endpoint, from its login to its end. It has a server connection while a transaction is open, or
 * for good once it is pinned. Confined to the pool's home loop, apart from what says otherwise.
 */
public final class PooledSession extends ChannelInboundHandlerAdapter implements LiveSession {
    /** Who has let the client in, and keeps its log line. Called on the client's event loop. */
    public interface Host {
        ProtocolVersion version();

        /** The client has been told that it may begin. */
        void began(LiveSession session);

        /** The session ends now. */
        void ended(SessionEnd who, String why);

        /** It never began: tell the client, in the compute's own words, and close. */
        void refused(String sqlState, byte[] errorResponse);

        /** It never began: tell the client, and close. */
        void refused(PgError error);
    }

    private static final Logger log = LoggerFactory.getLogger(PooledSession.class);
    static final PgError CANCELLED = PgError.of(SqlState.QUERY_CANCELED, "canceling statement due to user request");
    private static final PgError CHANGED_RESULT =
            PgError.of(SqlState.FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
    /** What a waiting client may have sent ahead before it is not read any more, in bytes. */
    private static final int MAX_AHEAD_BYTES = 16 << 10;

    private final Channel client;
    private final Host host;
    private final EndpointPool pool;
    private final PoolKey key;
    private final ScramKeys keys;
    private final ClientStatements statements = new ClientStatements();
    private final RequestStream requests;
    private final ClientOutput out;
    private final RepeatedSettings settings = new RepeatedSettings();
    private final FailedRequest failed = new FailedRequest();
    private @Nullable PooledServer server;
    private @Nullable PinReason pinned;
    private @Nullable CancelKey cancelKey;
    private boolean started;
    private boolean greeted;
    private boolean waiting;
    private boolean queued;
    private boolean paused;
    private boolean draining;
    private boolean discards;
    private boolean hasLocalSettings;
    private boolean ended;
    private long waitingSinceNanos;
    private @Nullable Lane lane;
    private long bytesFromClient;
    private long bytesFromCompute;

    PooledSession(Channel client, Host host, EndpointPool pool, PoolKey key, ScramKeys keys) {
        this.client = client;
        this.host = host;
        this.pool = pool;
        this.key = key;
        this.keys = keys;
        this.out = new ClientOutput(client);
        this.requests = new RequestStream(this, client.alloc(), statements);
    }

    EndpointPool pool() {
        return pool;
    }

    PoolKey key() {
        return key;
    }

    ScramKeys keys() {
        return keys;
    }

    /** The connections that it may have; from {@link #start} on. */
    Lane lane() {
        return requireNonNull(lane, "the session has not come to its pool");
    }

    /** No server connection was free. */
    void waits(long sinceNanos) {
        waitingSinceNanos = sinceNanos;
        queued = true;
    }

    long waitingSinceNanos() {
        return waitingSinceNanos;
    }

    @Nullable
    PooledServer server() {
        return server;
    }

    /**
     * Whatever this client does, nothing of it stays in a server session: each is cleaned by DISCARD ALL before the next
     * client gets it. To be called before {@link Pools#move}.
     */
    public void discardAfterUse() {
        discards = true;
    }

    /** Stops what it does or waits for, as a cancel request would; may be called on any thread. */
    public void cancelRequest() {
        onLoop(() -> cancel(() -> {}));
    }

    /** The client has come to the home loop. */
    void start() {
        started = true;
        Lane entered = pool.entered(this);
        lane = entered;
        if (!client.isActive()) {
            left();
            return;
        }
        if (entered.greeting != null) {
            pool.logins().login(this);
        } else {
            acquire();
        }
    }

    /** It is greeted as those before it were. */
    void greetAsBefore() {
        byte[] greeting = lane().greeting;
        if (!ended) {
            greet(greeting == null ? new byte[0] : greeting);
        }
    }

    /** The client has gone while something was found out for it. */
    boolean ended() {
        return ended;
    }

    /** As {@link #discardAfterUse}. */
    boolean discardsAfterUse() {
        return discards;
    }

    /** It belongs to other clients than it came to. */
    void lane(Lane other) {
        lane = other;
    }

    private void greet(byte[] parameters) {
        greeted = true;
        CancelKey given = pool.cancelKeys().addPooled(done -> onLoop(() -> cancel(done)), host.version());
        cancelKey = given;
        out.greeting(parameters, given);
        host.began(this);
        proceed();
    }

    /** A server connection for the request at hand; null when it has to be waited for, or the request {@link #fail fails} now. */
    @Nullable
    PooledServer acquire() {
        if (waiting) {
            return null;
        }
        waiting = true;
        queued = false;
        PooledServer free = pool.acquire(this);
        return free != null && take(free) ? free : null;
    }

    /** The server connection waited for. */
    void assigned(PooledServer free) {
        boolean fits = take(free);
        if (!greeted) {
            greetAsBefore();
        } else if (fits) {
            proceed();
        }
    }

    /** @return false when the server connection must first be given this session's settings */
    private boolean take(PooledServer free) {
        waiting = false;
        server = free;
        free.assign(this);
        if (discards) {
            free.needsDiscard();
        }
        pool.metrics().busy.incrementAndGet();
        if (queued) {
            pool.metrics().wait.update(System.nanoTime() - waitingSinceNanos, TimeUnit.NANOSECONDS);
        }
        client.config().setAutoRead(free.channel().isWritable());
        free.channel().config().setAutoRead(client.isWritable());
        return settings.apply(free, problem -> {
            problem.ifPresent(this::fail);
            proceed();
        });
    }

    /** Whether the server connection is given the client's settings first. */
    boolean applying() {
        return settings.applying();
    }

    SessionSettings settings() {
        return settings.settings();
    }

    /** Goes on with what the client has sent. */
    void proceed() {
        requests.process();
        if (server != null) {
            server.flush();
            handBackIfDone();
        }
        bound();
        out.flush();
    }

    /** What cannot go on yet is held up to a limit; then the client is not read until it can. */
    private void bound() {
        if (requests.waits()) {
            if (requests.pendingBytes() > MAX_AHEAD_BYTES) {
                paused = true;
                client.config().setAutoRead(false);
            }
        } else if (paused) {
            paused = false;
            client.config().setAutoRead(server == null || server.channel().isWritable());
        }
    }

    private void handBackIfDone() {
        PooledServer held = server;
        if (held == null
                || settings.applying()
                || !held.quiet()
                || !requests.atBoundary()
                || !held.atBoundary()
                || !greeted) {
            return;
        }
        if (pinned == null && held.parametersChanged(settings.settings())) {
            pin(held, PinReason.PARAMETER);
        }
        out.deliverNotifications();
        if (draining) {
            end(SessionEnd.SHUTDOWN);
        } else if (pinned == null && !pool.hubs().awaited(this)) {
            release(held);
        }
    }

    private void release(PooledServer held) {
        server = null;
        pool.metrics().busy.decrementAndGet();
        held.unassign();
        client.config().setAutoRead(true);
        held.handBack();
    }

    /** ReadyForQuery has gone to the client. */
    void serverReady() {
        PooledServer held = server;
        if (held == null) {
            return;
        }
        boolean hadError = held.stream().takeFailed();
        if (held.stream().takeHasDiscarded() && held.quiet()) {
            pinned = null;
            settings.clear();
            held.discarded();
        }
        settings.ready(held, hadError);
        hasLocalSettings &= !held.quiet();
        out.flush();
        handBackIfDone();
        // Notifications, now that the transaction is over.
        out.flush();
        if (requests.pendingBytes() > 0) {
            proceed();
        }
    }

    void fromServer(ByteBuf bytes) {
        bytesFromCompute += bytes.readableBytes();
        out.write(bytes);
    }

    void toServer(ByteBuf bytes) {
        if (server == null) {
            bytes.release();
        } else {
            server.write(bytes);
        }
    }

    void flushToClient() {
        out.flush();
    }

    void readClient(boolean read) {
        client.config().setAutoRead(read && !paused);
    }

    /** Gives the answers that are ours to give, as far as their turn has come. */
    void answerLocally() {
        PooledServer held = server;
        while (held != null) {
            if (held.replies().take(Expected.Kind.LOCAL_CLOSE)) {
                out.closeComplete();
            } else {
                return;
            }
        }
    }

    /** A Sync with nothing before it. */
    void readyLocally() {
        out.ready((byte) 'I');
    }

    void deallocatedLocally(byte status) {
        out.deallocated(status);
    }

    /** Acts on what a request means for the session; false when it has to wait for the hub. */
    boolean inspected(PooledServer held, Inspection found) {
        found.pin().ifPresent(reason -> pin(held, reason));
        if (found.setting().isPresent() && !settings.asked(held, found.setting().get())) {
            pin(held, PinReason.SET);
        }
        hasLocalSettings |= found.localSetting();
        if (!found.listens().isEmpty()) {
            if (!pool.hubs().listen(this, found.listens())) {
                return false;
            }
            held.listens();
        }
        if (!found.unlistens().isEmpty()) {
            pool.hubs().unlisten(this, found.unlistens());
        }
        return true;
    }

    void pin(PooledServer held, PinReason reason) {
        held.needsDiscard();
        if (reason.outlivesDiscard()) {
            held.spent();
        }
        if (pinned == null && !discards) {
            pinned = reason;
            pool.metrics().pinned(reason);
            log.info(
                    "client {} of endpoint {} keeps its server connection: {}",
                    client.remoteAddress(),
                    LogText.field(pool.endpointId()),
                    reason.label());
        }
    }

    /** The settings that what is parsed now is understood under, as far as they count for that; null when they are not known. */
    @Nullable
    SessionSettings parseSettings(PooledServer held) {
        return pinned != null || hasLocalSettings || settings.changing() || held.parametersChanged(settings.settings())
                ? null
                : settings.settings().forParsing();
    }

    /** What the client calls a statement of the server. */
    String clientName(String serverName) {
        PooledServer held = server;
        return held == null ? serverName : statements.nameOf(held.statements(), serverName);
    }

    /** What Postgres says to whoever uses a statement whose result has got other columns. */
    ByteBuf changedResult() {
        return ServerMessages.statementError(client.alloc(), CHANGED_RESULT);
    }

    /** A notification from the hub, for which the client listens; takes ownership. */
    void notified(ByteBuf message) {
        if (ended) {
            message.release();
            return;
        }
        if (out.keep(message)) {
            pool.metrics().notifications.mark();
        }
        if (server == null || server.quiet()) {
            out.deliverNotifications();
            out.flush();
        }
    }

    /** Whether the client was told an error of ours, and is not heard before its next Sync. */
    boolean failing() {
        return failed.failing();
    }

    /** The request at hand fails, the session does not. */
    void fail(PgError error) {
        waiting = false;
        if (!greeted) {
            ended = true;
            host.refused(error);
            return;
        }
        failed.begin();
        client.config().setAutoRead(true);
        out.statementError(error);
    }

    /** The compute refuses the role or the database: the session cannot go on. */
    void refused(String sqlState, byte[] errorResponse) {
        waiting = false;
        if (!greeted) {
            ended = true;
            host.refused(sqlState, errorResponse);
            return;
        }
        out.write(Unpooled.wrappedBuffer(errorResponse));
        close(SessionEnd.COMPUTE, "compute answered " + sqlState);
    }

    /** A message that came after {@link #fail}. */
    void skipped(byte type) {
        if (failed.skipped(type)) {
            readyLocally();
        }
    }

    /** @param done runs when what is cancelled has been told, or there is nothing: what is sent from then on is not meant */
    private void cancel(Runnable done) {
        if (server != null && !settings.applying() && !server.quiet()) {
            server.cancel(done);
            return;
        }
        if (settings.applying()) {
            settings.cancel();
        } else if (waiting && greeted) {
            pool.stopWaiting(this);
            fail(CANCELLED);
            proceed();
        }
        done.run();
    }

    void terminated() {
        close(SessionEnd.CLIENT, "");
    }

    void violation(String problem) {
        if (!ended) {
            PgError error = PgError.of(SqlState.PROTOCOL_VIOLATION, problem, "This is a bug of the client.");
            out.error(error);
            close(SessionEnd.CLIENT, problem);
        }
    }

    /** The server connection has gone. */
    void serverLost(boolean atBoundary) {
        PooledServer lost = server;
        server = null;
        pool.metrics().busy.decrementAndGet();
        if (lost != null && lost.quiet() && pinned == null) {
            proceed();
            return;
        }
        if (atBoundary && !ended && !(lost != null && lost.stream().saidFarewell())) {
            SessionEnd.COMPUTE.farewell().ifPresent(out::error);
        }
        close(SessionEnd.COMPUTE, "");
    }

    @Override
    public void shutDown() {
        onLoop(() -> end(SessionEnd.SHUTDOWN));
    }

    @Override
    public void drain() {
        onLoop(() -> {
            draining = true;
            if (greeted && server == null && !waiting) {
                end(SessionEnd.SHUTDOWN);
            } else {
                handBackIfDone();
            }
        });
    }

    private void end(SessionEnd who) {
        if (ended) {
            return;
        }
        if (!greeted) {
            ended = true;
            who.farewell().ifPresent(host::refused);
            return;
        }
        if (server == null || server.atBoundary()) {
            who.farewell().ifPresent(out::error);
        }
        close(who, "");
    }

    private void close(SessionEnd who, String why) {
        if (!ended) {
            ended = true;
            host.ended(who, why);
        }
        out.close();
    }

    private void onLoop(Runnable task) {
        if (pool.loop().inEventLoop()) {
            task.run();
        } else {
            pool.loop().execute(task);
        }
    }

    @Override
    public long bytesFromClient() {
        return bytesFromClient;
    }

    @Override
    public long bytesFromCompute() {
        return bytesFromCompute;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (ended) {
            bytes.release();
            return;
        }
        bytesFromClient += bytes.readableBytes();
        requests.append(ctx.alloc(), bytes);
        if (!started || !greeted) {
            if (requests.pendingBytes() > MAX_AHEAD_BYTES) {
                ctx.channel().config().setAutoRead(false);
            }
        } else {
            proceed();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (server != null) {
            server.channel().config().setAutoRead(ctx.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (!ended) {
            ended = true;
            if (greeted) {
                host.ended(SessionEnd.CLIENT, "");
            }
        }
        if (started) {
            left();
        } else {
            requests.release();
        }
        ctx.fireChannelInactive();
    }

    /** The client has gone for good. */
    private void left() {
        boolean mayGoOn = requests.atBoundary();
        requests.release();
        out.release();
        if (cancelKey != null) {
            pool.cancelKeys().remove(cancelKey);
        }
        if (waiting) {
            waiting = false;
            pool.stopWaiting(this);
        }
        PooledServer held = server;
        if (held != null) {
            if (mayGoOn && held.quiet()) {
                release(held);
            } else {
                server = null;
                pool.metrics().busy.decrementAndGet();
                held.unassign();
                held.channel().close();
            }
        }
        pool.left(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        log.debug("client of endpoint {}: {}", LogText.field(pool.endpointId()), cause.toString());
        ctx.close();
    }
}
