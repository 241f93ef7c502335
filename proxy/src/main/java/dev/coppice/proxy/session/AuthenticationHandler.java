package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ChannelBinding;
import dev.coppice.proxy.auth.ScramException;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramServer;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.pgwire.AuthenticationDecoder;
import dev.coppice.proxy.pgwire.ClientMessage;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.pool.PooledSession;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.tls.TlsIdentity;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The second phase: SCRAM against the stored verifier. A role, endpoint or branch that does not exist goes through
 * the same exchange with a mock verifier and fails at the same point with the same words.
 */
final class AuthenticationHandler extends SimpleChannelInboundHandler<ClientMessage> {
    private static final Logger log = LoggerFactory.getLogger(AuthenticationHandler.class);
    /** The superuser of Coppice itself: exists in every branch, but for nobody who comes through the proxy. */
    private static final String INTERNAL_ROLE = "coppice_admin";

    private enum Step {
        LOOK_UP,
        CLIENT_FIRST,
        CLIENT_FINAL
    }

    private final ClientConnection connection;
    private final RouteRequest request;
    private final Route route;
    private Step step = Step.LOOK_UP;
    private @Nullable ScramServer scram;

    AuthenticationHandler(ClientConnection connection, RouteRequest request, Route route) {
        this.connection = connection;
        this.request = request;
        this.route = route;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        verifier()
                .whenCompleteAsync(
                        (found, failure) -> {
                            if (ctx.isRemoved() || connection.ending()) {
                                return;
                            }
                            if (failure == null) {
                                lookedUp(ctx, found);
                            } else {
                                lookUpFailed(failure);
                            }
                        },
                        ctx.executor());
    }

    private CompletionStage<Optional<String>> verifier() {
        if (!(route instanceof Route.Known(RoutedEndpoint endpoint))
                || request.user().equals(INTERNAL_ROLE)) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        try {
            return connection.services.directory().verifier(endpoint.endpointId(), request.user());
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void lookUpFailed(Throwable failure) {
        log.error("cannot look up a verifier for endpoint {}", route.label(), failure);
        connection.refuse(
                Outcome.INTERNAL,
                PgError.of(
                        SqlState.CANNOT_CONNECT_NOW,
                        "passwords cannot be checked at the moment",
                        "Try again in a few seconds."));
    }

    private void lookedUp(ChannelHandlerContext ctx, Optional<String> found) {
        Optional<ScramVerifier> real = found.flatMap(ScramVerifier::parse);
        if (found.isPresent() && real.isEmpty()) {
            log.warn("role {} has a password that is not SCRAM-SHA-256", ClientConnection.shown(request.user()));
        }
        Optional<ChannelBinding> binding = connection.encrypted()
                ? connection.services.tls().flatMap(TlsIdentity::channelBinding)
                : Optional.empty();
        scram = new ScramServer(
                real.orElseGet(this::mock),
                real.isEmpty(),
                connection.services.nonces().next(),
                binding);
        step = Step.CLIENT_FIRST;
        ctx.writeAndFlush(ServerMessages.saslMechanisms(ctx.alloc(), ScramServer.mechanisms(binding)));
    }

    private ScramVerifier mock() {
        String place = route instanceof Route.Known(RoutedEndpoint endpoint) ? endpoint.projectId() : route.label();
        return connection.services.mockVerifiers().mock(place, request.user());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ClientMessage message) {
        if (connection.ending()) {
            return;
        }
        switch (message) {
            case ClientMessage.AuthenticationResponse response -> respond(ctx, response.body());
            case ClientMessage.Terminate() -> connection.drop(Outcome.CLIENT_LEFT, "client terminated");
            case ClientMessage.Malformed(PgError error) -> connection.refuse(Outcome.PROTOCOL, error);
            case ClientMessage.SslRequest _,
                    ClientMessage.GssRequest _,
                    ClientMessage.CancelRequest _,
                    ClientMessage.Startup _ ->
                throw new IllegalStateException("not an authentication message: " + message);
        }
    }

    private void respond(ChannelHandlerContext ctx, byte[] body) {
        try {
            if (scram == null) {
                violation("authentication message before it was asked for");
            } else if (step == Step.CLIENT_FIRST) {
                step = Step.CLIENT_FINAL;
                ctx.writeAndFlush(ServerMessages.saslContinue(ctx.alloc(), scram.first(body)));
            } else {
                switch (scram.last(body)) {
                    case ScramServer.Outcome.Accepted(String serverFinal, ScramKeys keys) ->
                        accepted(ctx, serverFinal, keys);
                    case ScramServer.Outcome.Rejected() -> rejected();
                }
            }
        } catch (ScramException e) {
            violation(String.valueOf(e.getMessage()));
        }
    }

    private void accepted(ChannelHandlerContext ctx, String serverFinal, ScramKeys keys) {
        if (!(route instanceof Route.Known(RoutedEndpoint endpoint))) {
            rejected();
            return;
        }
        connection.authenticated();
        ctx.writeAndFlush(ServerMessages.saslFinalAndOk(ctx.alloc(), serverFinal));
        if (request.pooled() && !request.replication()) {
            PooledSession session = connection
                    .services
                    .pools()
                    .take(
                            ctx.channel(),
                            new PooledHost(connection, ctx.channel()),
                            endpoint.endpointId(),
                            request.computeParameters(),
                            keys);
            removeFrom(ctx);
            connection.services.pools().move(ctx.channel(), session);
        } else {
            ctx.pipeline().addLast(new HoldHandler(connection, endpoint, request.computeParameters(), keys));
            removeFrom(ctx);
        }
    }

    /** What the decoder has buffered goes to its successor. */
    private void removeFrom(ChannelHandlerContext ctx) {
        ctx.pipeline().remove(this);
        ctx.pipeline().remove(AuthenticationDecoder.class);
    }

    private void rejected() {
        connection.refuse(
                Outcome.WRONG_PASSWORD,
                PgError.of(
                        SqlState.INVALID_PASSWORD,
                        "password authentication failed for user \"" + ClientConnection.shown(request.user()) + "\"",
                        "Check the password, the role, and the endpoint or branch the connection names."));
    }

    private void violation(String message) {
        connection.refuse(
                Outcome.PROTOCOL,
                PgError.of(
                        SqlState.PROTOCOL_VIOLATION, message, "This is a bug of the client, or of a proxy between."));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.PROTOCOL, String.valueOf(cause.getMessage()));
    }
}
