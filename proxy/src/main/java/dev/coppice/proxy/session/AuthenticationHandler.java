package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ChannelBinding;
import dev.coppice.proxy.auth.ScramException;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramServer;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.pgwire.ClientMessage;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The second phase: SCRAM against the stored verifier. A role, endpoint or branch that does not exist goes through
 * the same exchange with a mock verifier and fails at the same point with the same words.
 */
final class AuthenticationHandler extends SimpleChannelInboundHandler<ClientMessage> {
    private static final Logger log = LoggerFactory.getLogger(AuthenticationHandler.class);

    private enum Step {
        LOOK_UP,
        CLIENT_FIRST,
        CLIENT_FINAL
    }

    private final ClientConnection connection;
    private final Login login;
    private Step step = Step.LOOK_UP;
    private @Nullable ScramServer scram;

    AuthenticationHandler(ClientConnection connection, RouteRequest request, Route route) {
        this.connection = connection;
        this.login = new Login(connection, request, route);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        login.verifier()
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

    private void lookUpFailed(Throwable failure) {
        log.error("cannot look up a verifier for endpoint {}", login.route().label(), failure);
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
            log.warn(
                    "role {} has a password that is not SCRAM-SHA-256",
                    ClientConnection.shown(login.request().user()));
        }
        Optional<ChannelBinding> binding = connection.channelBinding();
        scram = new ScramServer(
                real.orElseGet(login::mock),
                real.isEmpty(),
                connection.services.nonces().next(),
                binding);
        step = Step.CLIENT_FIRST;
        ctx.writeAndFlush(ServerMessages.saslMechanisms(ctx.alloc(), ScramServer.mechanisms(binding)));
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
                    case ScramServer.Outcome.Rejected() -> login.rejected();
                }
            }
        } catch (ScramException e) {
            violation(String.valueOf(e.getMessage()));
        }
    }

    private void accepted(ChannelHandlerContext ctx, String serverFinal, ScramKeys keys) {
        if (!(login.route() instanceof Route.Known(RoutedEndpoint endpoint))) {
            login.rejected();
            return;
        }
        ctx.write(ServerMessages.saslFinalAndOk(ctx.alloc(), serverFinal));
        login.accepted(ctx, this, endpoint, keys);
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
