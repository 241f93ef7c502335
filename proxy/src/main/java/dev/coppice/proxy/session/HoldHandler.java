package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ScramClient;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.ComputeDecoder;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.relay.ComputeGreeting;
import dev.coppice.proxy.relay.ComputeLogin;
import dev.coppice.proxy.relay.ComputeLoginException;
import dev.coppice.proxy.relay.Relay;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.WakeException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The third phase: the client has proved its password and is held while its compute is woken and logged in to. It is
 * still read, so that its leaving is seen; what it sends early is kept, up to a limit, for the compute.
 *
 * <p>A compute may be suspended between "it is awake" and our connecting to it. So a refused connection, a broken
 * login and "shutting down" lead to another wake, a few times, within the wake deadline.
 */
final class HoldHandler extends ChannelInboundHandlerAdapter {
    private static final Logger log = LoggerFactory.getLogger(HoldHandler.class);
    /** What a client may send before it was answered, in bytes; then it is not read until it is. */
    private static final int MAX_HELD_BYTES = 16 << 10;

    private static final int MAX_ATTEMPTS = 8;
    private static final long FIRST_DELAY_MILLIS = 50;
    private static final long MAX_DELAY_MILLIS = 1000;
    /** cannot_connect_now and admin_shutdown: another compute will take its place. */
    private static final Set<String> TRY_AGAIN =
            Set.of(SqlState.CANNOT_CONNECT_NOW.code(), SqlState.ADMIN_SHUTDOWN.code());

    private final ClientConnection connection;
    private final RoutedEndpoint endpoint;
    private final Map<String, String> parameters;
    private final ScramKeys keys;
    private final Queue<ByteBuf> held = new ArrayDeque<>();
    private final long startedNanos = System.nanoTime();
    private int heldBytes;
    private int attempts;
    private boolean done;
    private @Nullable Future<?> deadline;
    private @Nullable Channel compute;

    HoldHandler(ClientConnection connection, RoutedEndpoint endpoint, Map<String, String> parameters, ScramKeys keys) {
        this.connection = connection;
        this.endpoint = endpoint;
        this.parameters = parameters;
        this.keys = keys;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        long timeoutMillis = connection.services.settings().wakeTimeout().toMillis();
        deadline = ctx.executor().schedule(this::timedOut, timeoutMillis, TimeUnit.MILLISECONDS);
        wake(ctx);
    }

    private void wake(ChannelHandlerContext ctx) {
        if (done) {
            return;
        }
        attempts++;
        CompletionStage<Path> waking;
        try {
            waking = connection.services.directory().wake(endpoint.endpointId());
        } catch (RuntimeException e) {
            waking = CompletableFuture.failedFuture(e);
        }
        waking.whenCompleteAsync((socket, failure) -> woken(ctx, socket, failure), ctx.executor());
    }

    private void woken(ChannelHandlerContext ctx, @Nullable Path socket, @Nullable Throwable failure) {
        if (done) {
            return;
        }
        if (socket != null) {
            connect(ctx, socket);
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof WakeException wake) {
            refuse(Outcome.WAKE_FAILED, wake.error());
        } else {
            log.error("waking endpoint {} failed", endpoint.endpointId(), cause);
            refuse(
                    Outcome.WAKE_FAILED,
                    PgError.of(
                            SqlState.INTERNAL_ERROR,
                            "the branch's compute could not be started",
                            "See the server's log; connecting again tries once more."));
        }
    }

    private void connect(ChannelHandlerContext ctx, Path socket) {
        Promise<ComputeGreeting> greeting = ctx.executor().newPromise();
        ScramClient scram = new ScramClient(keys, connection.services.nonces().next());
        ChannelFuture connecting = connection
                .services
                .connector()
                .connect(
                        ctx.channel().eventLoop(),
                        socket,
                        connection.services.settings().waterMark(),
                        new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                channel.pipeline()
                                        .addLast(new ComputeDecoder(), new ComputeLogin(parameters, scram, greeting));
                            }
                        });
        compute = connecting.channel();
        connecting.addListener(connected -> {
            if (!connected.isSuccess()) {
                tryAgain(ctx, String.valueOf(connected.cause()));
            }
        });
        greeting.addListener(result -> loggedIn(ctx, connecting.channel(), socket, greeting));
    }

    private void loggedIn(
            ChannelHandlerContext ctx, Channel computeChannel, Path socket, Promise<ComputeGreeting> result) {
        if (result.isSuccess()) {
            ComputeGreeting greeting = result.getNow();
            if (done) {
                greeting.passed().release();
                computeChannel.close();
            } else {
                begin(ctx, computeChannel, socket, greeting);
            }
            return;
        }
        computeChannel.close();
        if (done) {
            return;
        }
        if (result.cause() instanceof ComputeLoginException.Refused refused
                && !TRY_AGAIN.contains(refused.sqlState())) {
            abandon();
            connection.ending(Outcome.COMPUTE_REFUSED, "compute answered " + refused.sqlState());
            ctx.writeAndFlush(Unpooled.wrappedBuffer(refused.frame())).addListener(ChannelFutureListener.CLOSE);
        } else {
            tryAgain(ctx, String.valueOf(result.cause().getMessage()));
        }
    }

    private void tryAgain(ChannelHandlerContext ctx, String problem) {
        if (done) {
            return;
        }
        compute = null;
        log.debug("compute of endpoint {}: {}", endpoint.endpointId(), problem);
        if (attempts >= MAX_ATTEMPTS) {
            log.warn("compute of endpoint {} is not reached: {}", endpoint.endpointId(), problem);
            refuse(
                    Outcome.WAKE_FAILED,
                    PgError.of(
                            SqlState.CONNECTION_FAILURE,
                            "the branch's compute cannot be reached",
                            "Try again; if it stays so, see the server's log."));
            return;
        }
        long delayMillis = Math.min(FIRST_DELAY_MILLIS << (attempts - 1), MAX_DELAY_MILLIS);
        ctx.executor().schedule(() -> wake(ctx), delayMillis, TimeUnit.MILLISECONDS);
    }

    private void begin(ChannelHandlerContext ctx, Channel computeChannel, Path socket, ComputeGreeting greeting) {
        finish();
        connection.services.metrics().wake.update(System.nanoTime() - startedNanos, TimeUnit.NANOSECONDS);
        Channel client = ctx.channel();
        ByteBuf answer = greeting.passed();
        Optional<CancelKey> cancelKey = greeting.cancelKey()
                .map(key -> connection.services.cancelKeys().add(socket, key, connection.version()));
        cancelKey.ifPresent(key -> {
            client.closeFuture()
                    .addListener(_ -> connection.services.cancelKeys().remove(key));
            ServerMessages.appendBackendKeyData(answer, key);
        });
        ServerMessages.appendReadyForQuery(answer, greeting.transactionStatus());
        ctx.writeAndFlush(answer, ctx.voidPromise());

        while (!held.isEmpty()) {
            computeChannel.write(held.remove(), computeChannel.voidPromise());
        }
        computeChannel.flush();
        connection.sessionBegan(Relay.start(
                client, computeChannel, end -> connection.ending(Outcome.SESSION, "ended by " + end.label())));
        computeChannel.pipeline().remove(ComputeLogin.class);
        computeChannel.pipeline().remove(ComputeDecoder.class);
        ctx.pipeline().remove(this);
    }

    private void timedOut() {
        if (!done) {
            refuse(
                    Outcome.WAKE_FAILED,
                    PgError.of(
                            SqlState.CANNOT_CONNECT_NOW,
                            "the branch's compute did not start within "
                                    + connection
                                            .services
                                            .settings()
                                            .wakeTimeout()
                                            .toSeconds() + " s",
                            "Connect again: it may be up by then. If it stays so, see the server's log."));
        }
    }

    private void refuse(Outcome outcome, PgError error) {
        abandon();
        connection.refuse(outcome, error);
    }

    /** Nothing more is waited for. */
    private void finish() {
        done = true;
        if (deadline != null) {
            deadline.cancel(false);
        }
    }

    private void abandon() {
        finish();
        held.forEach(ByteBuf::release);
        held.clear();
        if (compute != null) {
            compute.close();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (done) {
            bytes.release();
            return;
        }
        held.add(bytes);
        heldBytes += bytes.readableBytes();
        if (heldBytes > MAX_HELD_BYTES) {
            ctx.channel().config().setAutoRead(false);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        abandon();
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.CLIENT_LEFT, String.valueOf(cause.getMessage()));
    }
}
