package dev.coppice.proxy.session;

import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.pgwire.CancelKey;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.relay.ComputeDial;
import dev.coppice.proxy.relay.ComputeGreeting;
import dev.coppice.proxy.relay.ComputeLoginException;
import dev.coppice.proxy.relay.Relay;
import dev.coppice.proxy.route.ComputeSocket;
import dev.coppice.proxy.route.RoutedEndpoint;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The third phase: the client has proved its password and is held while its compute is woken and logged in to. It is
 * still read, so that its leaving is seen; what it sends early is kept, up to a limit, for the compute.
 */
final class HoldHandler extends ChannelInboundHandlerAdapter {
    /** What a client may send before it was answered, in bytes; then it is not read until it is. */
    private static final int MAX_HELD_BYTES = 16 << 10;

    private final ClientConnection connection;
    private final RoutedEndpoint endpoint;
    private final Map<String, String> parameters;
    private final ScramKeys keys;
    private final Queue<ByteBuf> held = new ArrayDeque<>();
    private final long startedNanos = System.nanoTime();
    private int heldBytes;
    private boolean done;
    private @Nullable ComputeDial dial;

    HoldHandler(ClientConnection connection, RoutedEndpoint endpoint, Map<String, String> parameters, ScramKeys keys) {
        this.connection = connection;
        this.endpoint = endpoint;
        this.parameters = parameters;
        this.keys = keys;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        dial = ComputeDial.start(
                connection.services.compute(),
                ctx.channel().eventLoop(),
                endpoint.endpointId(),
                parameters,
                keys,
                new ComputeDial.Listener() {
                    @Override
                    public void opened(Channel compute, ComputeSocket socket, ComputeGreeting greeting) {
                        // Nobody reads what it says until the session begins.
                        compute.config().setAutoRead(false);
                        connection
                                .services
                                .pools()
                                .beforeSession(
                                        endpoint.endpointId(),
                                        ctx.channel().eventLoop(),
                                        () -> accepted(ctx, compute, socket, greeting));
                    }

                    @Override
                    public void refused(ComputeLoginException.Refused refusal) {
                        end();
                        connection.ending(Outcome.COMPUTE_REFUSED, "compute answered " + refusal.sqlState());
                        ctx.writeAndFlush(Unpooled.wrappedBuffer(refusal.frame()))
                                .addListener(ChannelFutureListener.CLOSE);
                    }

                    @Override
                    public void failed(PgError error) {
                        end();
                        connection.refuse(Outcome.WAKE_FAILED, error);
                    }
                });
    }

    private void accepted(ChannelHandlerContext ctx, Channel compute, ComputeSocket socket, ComputeGreeting greeting) {
        if (done) {
            greeting.passed().release();
            compute.close();
        } else {
            begin(ctx, compute, socket, greeting);
            if (!compute.isActive()) {
                // It has gone while nobody looked: the relay is told now what it has missed.
                compute.pipeline().fireChannelInactive();
            }
        }
    }

    private void begin(ChannelHandlerContext ctx, Channel compute, ComputeSocket socket, ComputeGreeting greeting) {
        done = true;
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
            compute.write(held.remove(), compute.voidPromise());
        }
        compute.flush();
        connection.sessionBegan(
                Relay.start(client, compute, end -> connection.ending(Outcome.SESSION, "ended by " + end.label())));
        ctx.pipeline().remove(this);
    }

    /** Nothing more is waited for. */
    private void end() {
        done = true;
        held.forEach(ByteBuf::release);
        held.clear();
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
        end();
        if (dial != null) {
            dial.abandon();
        }
        ctx.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.CLIENT_LEFT, String.valueOf(cause.getMessage()));
    }
}
