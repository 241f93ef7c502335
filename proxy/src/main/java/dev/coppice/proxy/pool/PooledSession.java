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

    private final Channel client;
    private final Host host;
    private final EndpointPool pool;
    private final PoolKey key;
    private final ScramKeys keys;
    private final ClientStatements statements = new ClientStatements();
    private final RequestStream requests;
    private final ClientOutput out;
    private final ClientReading reading;
    private final SessionTrace trace;
    private final FailedRequest failed = new FailedRequest();
    private SessionPhase phase = SessionPhase.LOGIN;
    private ServerBinding binding = ServerBinding.Without.NONE;
    private @Nullable CancelKey cancelKey;
    /** Whether it ends as soon as a transaction has. */
    private boolean draining;
    /** Null before it has come to the home loop. */
    private @Nullable ServerPool serverPool;

    private long bytesFromClient;
    private long bytesFromCompute;

    PooledSession(Channel client, Host host, EndpointPool pool, PoolKey key, ScramKeys keys) {
        this.client = client;
        this.host = host;
        this.pool = pool;
        this.key = key;
        this.keys = keys;
        this.out = new ClientOutput(client);
        this.reading = new ClientReading(client);
        this.trace = new SessionTrace(pool, client);
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
    ServerPool serverPool() {
        return requireNonNull(serverPool, "the session has not come to its pool");
    }

    /** No server connection was free. */
    void waits(long sinceNanos) {
        binding = binding.toQueued(sinceNanos);
    }

    /** By {@link System#nanoTime}; of one that does not wait: now. */
    long waitingSinceNanos() {
        return binding instanceof ServerBinding.Queued(long since) ? since : System.nanoTime();
    }

    @Nullable
    PooledServer server() {
        return binding.server();
    }

    /**
     * Whatever this client does, nothing of it stays in a server session: each is cleaned by DISCARD ALL before the next
     * client gets it. To be called before {@link Pools#move}.
     */
    public void discardAfterUse() {
        trace.discardAfterUse();
    }

    /** Stops what it does or waits for, as a cancel request would; may be called on any thread. */
    public void cancelRequest() {
        onLoop(() -> cancel(() -> {}));
    }

    /** The client has come to the home loop. */
    void start() {
        ServerPool entered = pool.entered(this);
        serverPool = entered;
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
        byte[] greeting = serverPool().greeting;
        if (!phase.over()) {
            greet(greeting == null ? new byte[0] : greeting);
        }
    }

    /** The client has gone while something was found out for it. */
    boolean ended() {
        return phase.over();
    }

    /** As {@link #discardAfterUse}. */
    boolean discardsAfterUse() {
        return trace.discardsAfterUse();
    }

    /** It belongs to other clients than it came to. */
    void serverPool(ServerPool other) {
        serverPool = other;
    }

    private void greet(byte[] parameters) {
        phase = phase.toServing();
        CancelKey given = pool.cancelKeys().addPooled(done -> onLoop(() -> cancel(done)), host.version());
        cancelKey = given;
        out.greeting(parameters, given);
        host.began(this);
        proceed();
    }

    /** A server connection for the request at hand; null when it has to be waited for, or the request {@link #fail fails} now. */
    @Nullable
    PooledServer acquire() {
        if (binding.waits()) {
            return null;
        }
        binding = ServerBinding.Without.ASKING;
        PooledServer free = pool.acquire(this);
        return free != null && take(free) ? free : null;
    }

    /** The server connection waited for. */
    void assigned(PooledServer free) {
        boolean fits = take(free);
        if (!phase.greeted()) {
            greetAsBefore();
        } else if (fits) {
            proceed();
        }
    }

    /** @return false when the server connection must first be given this session's settings */
    private boolean take(PooledServer free) {
        ServerBinding before = binding;
        binding = before.toHolding(free);
        free.assign(this);
        trace.assigned(free);
        pool.metrics().busy.incrementAndGet();
        if (before instanceof ServerBinding.Queued(long since)) {
            pool.metrics().wait.update(System.nanoTime() - since, TimeUnit.NANOSECONDS);
        }
        reading.coupled(free);
        return trace.repeated().apply(free, problem -> {
            problem.ifPresent(this::fail);
            proceed();
        });
    }

    /** Whether the server connection is given the client's settings first. */
    boolean applying() {
        return trace.repeated().applying();
    }

    SessionSettings settings() {
        return trace.settings();
    }

    /** Goes on with what the client has sent. */
    void proceed() {
        requests.process();
        PooledServer held = server();
        if (held != null) {
            held.flush();
            handBackIfDone();
        }
        reading.bound(requests, server());
        out.flush();
    }

    private void handBackIfDone() {
        PooledServer held = server();
        if (held == null
                || applying()
                || !held.quiet()
                || !requests.atBoundary()
                || !held.atBoundary()
                || !phase.greeted()) {
            return;
        }
        trace.pinIfChangedUnseen(held);
        out.deliverNotifications();
        if (draining) {
            end(SessionEnd.SHUTDOWN);
        } else if (!trace.pinned() && !pool.hubs().awaited(this)) {
            release(held);
        }
    }

    private void release(PooledServer held) {
        unbind();
        held.unassign();
        reading.freely();
        held.handBack();
    }

    /** It has no server connection any more. */
    private void unbind() {
        binding = ServerBinding.Without.NONE;
        pool.metrics().busy.decrementAndGet();
    }

    /** ReadyForQuery has gone to the client. */
    void serverReady() {
        PooledServer held = server();
        if (held == null) {
            return;
        }
        trace.ready(held);
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
        PooledServer held = server();
        if (held == null) {
            bytes.release();
        } else {
            held.write(bytes);
        }
    }

    void flushToClient() {
        out.flush();
    }

    void readClient(boolean read) {
        reading.serverWritable(read);
    }

    /** Gives the answers that are ours to give, as far as their turn has come. */
    void answerLocally() {
        PooledServer held = server();
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
        trace.asked(held, found);
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

    /** What the session leaves in its server session. */
    SessionTrace trace() {
        return trace;
    }

    /** What the client calls a statement of the server. */
    String clientName(String serverName) {
        PooledServer held = server();
        return held == null ? serverName : statements.nameOf(held.statements(), serverName);
    }

    /** What Postgres says to whoever uses a statement whose result has got other columns. */
    ByteBuf changedResult() {
        return ServerMessages.statementError(client.alloc(), CHANGED_RESULT);
    }

    /** A notification from the hub, for which the client listens; takes ownership. */
    void notified(ByteBuf message) {
        if (phase.over()) {
            message.release();
            return;
        }
        if (out.keep(message)) {
            pool.metrics().notifications.mark();
        }
        PooledServer held = server();
        if (held == null || held.quiet()) {
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
        binding = binding.notWaiting();
        if (!phase.greeted()) {
            phase = phase.toEnd();
            host.refused(error);
            return;
        }
        failed.begin();
        reading.freely();
        out.statementError(error);
    }

    /** The compute refuses the role or the database: the session cannot go on. */
    void refused(String sqlState, byte[] errorResponse) {
        binding = binding.notWaiting();
        if (!phase.greeted()) {
            phase = phase.toEnd();
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
        PooledServer held = server();
        if (held != null && !applying() && !held.quiet()) {
            held.cancel(done);
            return;
        }
        if (applying()) {
            trace.repeated().cancel();
        } else if (binding.waits() && phase.greeted()) {
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
        if (!phase.over()) {
            PgError error = PgError.of(SqlState.PROTOCOL_VIOLATION, problem, "This is a bug of the client.");
            out.error(error);
            close(SessionEnd.CLIENT, problem);
        }
    }

    /** The server connection has gone. */
    void serverLost(boolean atBoundary) {
        PooledServer lost = server();
        unbind();
        if (lost != null && lost.quiet() && !trace.pinned()) {
            proceed();
            return;
        }
        if (atBoundary && !phase.over() && !(lost != null && lost.stream().saidFarewell())) {
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
            if (phase.greeted() && binding == ServerBinding.Without.NONE) {
                end(SessionEnd.SHUTDOWN);
            } else {
                handBackIfDone();
            }
        });
    }

    private void end(SessionEnd who) {
        if (phase.over()) {
            return;
        }
        if (!phase.greeted()) {
            phase = phase.toEnd();
            who.farewell().ifPresent(host::refused);
            return;
        }
        PooledServer held = server();
        if (held == null || held.atBoundary()) {
            who.farewell().ifPresent(out::error);
        }
        close(who, "");
    }

    private void close(SessionEnd who, String why) {
        if (!phase.over()) {
            phase = phase.toEnd();
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
        if (phase.over()) {
            bytes.release();
            return;
        }
        bytesFromClient += bytes.readableBytes();
        requests.append(ctx.alloc(), bytes);
        if (phase == SessionPhase.LOGIN) {
            reading.early(requests);
        } else {
            proceed();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        PooledServer held = server();
        if (held != null) {
            held.channel().config().setAutoRead(ctx.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (!phase.over()) {
            phase = phase.toEnd();
            if (phase.greeted()) {
                host.ended(SessionEnd.CLIENT, "");
            }
        }
        if (serverPool != null) {
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
        if (binding.waits()) {
            binding = ServerBinding.Without.NONE;
            pool.stopWaiting(this);
        }
        PooledServer held = server();
        if (held != null) {
            if (mayGoOn && held.quiet()) {
                release(held);
            } else {
                unbind();
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
