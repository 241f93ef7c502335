package dev.coppice.proxy.relay;

import dev.coppice.common.LogText;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ScramClient;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.pgwire.ComputeDecoder;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.route.ComputeSocket;
import dev.coppice.proxy.route.WakeException;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attempt to get a session with a compute: wake it, connect, log in. Confined to one event loop.
 *
 * <p>A compute may be suspended between "it is awake" and our connecting to it. So a refused connection, a broken
 * login and "shutting down" lead to another wake, a few times, within the wake deadline.
 */
public final class ComputeDial {
    /** Hears of the result, once, on the event loop. */
    public interface Listener {
        /** The login is done, inside the read of its last message. Channel and greeting are the listener's now. */
        void opened(Channel compute, ComputeSocket socket, ComputeGreeting greeting);

        /** The compute said no. */
        void refused(ComputeLoginException.Refused refusal);

        /** It cannot be started or reached. */
        void failed(PgError error);
    }

    private static final Logger log = LoggerFactory.getLogger(ComputeDial.class);
    private static final int MAX_ATTEMPTS = 8;
    private static final long FIRST_DELAY_MILLIS = 50;
    private static final long MAX_DELAY_MILLIS = 1000;
    /** cannot_connect_now and admin_shutdown: another compute will take its place. */
    private static final Set<String> TRY_AGAIN =
            Set.of(SqlState.CANNOT_CONNECT_NOW.code(), SqlState.ADMIN_SHUTDOWN.code());

    private final ComputeAccess access;
    private final EventLoop loop;
    private final String endpointId;
    private final Map<String, String> parameters;
    private final ScramKeys keys;
    private final Listener listener;
    private int attempts;
    private boolean done;
    private @Nullable Future<?> deadline;
    private @Nullable Channel compute;

    private ComputeDial(
            ComputeAccess access,
            EventLoop loop,
            String endpointId,
            Map<String, String> parameters,
            ScramKeys keys,
            Listener listener) {
        this.access = access;
        this.loop = loop;
        this.endpointId = endpointId;
        this.parameters = parameters;
        this.keys = keys;
        this.listener = listener;
    }

    /**
     * Begins; to be called on {@code loop}, where the compute's channel will live too.
     *
     * @param parameters of the compute's startup packet
     */
    public static ComputeDial start(
            ComputeAccess access,
            EventLoop loop,
            String endpointId,
            Map<String, String> parameters,
            ScramKeys keys,
            Listener listener) {
        ComputeDial dial = new ComputeDial(access, loop, endpointId, parameters, keys, listener);
        dial.deadline = loop.schedule(dial::timedOut, access.wakeTimeout().toMillis(), TimeUnit.MILLISECONDS);
        dial.wake();
        return dial;
    }

    /** The result is not wanted any more; the listener hears nothing. */
    public void abandon() {
        finish();
        if (compute != null) {
            compute.close();
        }
    }

    private void wake() {
        if (done) {
            return;
        }
        attempts++;
        CompletionStage<ComputeSocket> waking;
        try {
            waking = access.directory().wake(endpointId);
        } catch (RuntimeException e) {
            waking = CompletableFuture.failedFuture(e);
        }
        waking.whenCompleteAsync(this::woken, loop);
    }

    private void woken(@Nullable ComputeSocket socket, @Nullable Throwable failure) {
        if (done) {
            return;
        }
        if (socket != null) {
            connect(socket);
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof WakeException wake) {
            fail(wake.error());
        } else {
            log.error("waking endpoint {} failed", LogText.field(endpointId), cause);
            fail(PgError.of(
                    SqlState.INTERNAL_ERROR,
                    "the branch's compute could not be started",
                    "See the server's log; connecting again tries once more."));
        }
    }

    private void connect(ComputeSocket socket) {
        Promise<ComputeGreeting> greeting = loop.newPromise();
        ScramClient scram = new ScramClient(keys, access.nonces().next());
        ChannelFuture connecting = access.connector()
                .connect(loop, socket, access.waterMark(), new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new ComputeDecoder(), new ComputeLogin(parameters, scram, greeting));
                    }
                });
        compute = connecting.channel();
        connecting.addListener(connected -> {
            if (!connected.isSuccess()) {
                tryAgain(String.valueOf(connected.cause()));
            }
        });
        greeting.addListener(_ -> loggedIn(connecting.channel(), socket, greeting));
    }

    private void loggedIn(Channel channel, ComputeSocket socket, Promise<ComputeGreeting> result) {
        if (result.isSuccess()) {
            ComputeGreeting greeting = result.getNow();
            if (done) {
                greeting.passed().release();
                channel.close();
            } else {
                finish();
                listener.opened(channel, socket, greeting);
                channel.pipeline().remove(ComputeLogin.class);
                channel.pipeline().remove(ComputeDecoder.class);
            }
            return;
        }
        channel.close();
        if (done) {
            return;
        }
        if (result.cause() instanceof ComputeLoginException.Refused refusal
                && !TRY_AGAIN.contains(refusal.sqlState())) {
            finish();
            listener.refused(refusal);
        } else {
            tryAgain(String.valueOf(result.cause().getMessage()));
        }
    }

    private void tryAgain(String problem) {
        if (done) {
            return;
        }
        compute = null;
        log.debug("compute of endpoint {}: {}", LogText.field(endpointId), LogText.quoted(problem));
        if (attempts >= MAX_ATTEMPTS) {
            log.warn("compute of endpoint {} is not reached: {}", LogText.field(endpointId), LogText.quoted(problem));
            fail(PgError.of(
                    SqlState.CONNECTION_FAILURE,
                    "the branch's compute cannot be reached",
                    "Try again; if it stays so, see the server's log."));
            return;
        }
        long delayMillis = Math.min(FIRST_DELAY_MILLIS << (attempts - 1), MAX_DELAY_MILLIS);
        loop.schedule(this::wake, delayMillis, TimeUnit.MILLISECONDS);
    }

    private void timedOut() {
        if (!done) {
            Channel started = compute;
            fail(PgError.of(
                    SqlState.CANNOT_CONNECT_NOW,
                    "the branch's compute did not start within "
                            + access.wakeTimeout().toSeconds() + " s",
                    "Connect again: it may be up by then. If it stays so, see the server's log."));
            if (started != null) {
                started.close();
            }
        }
    }

    private void fail(PgError error) {
        finish();
        listener.failed(error);
    }

    private void finish() {
        done = true;
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
