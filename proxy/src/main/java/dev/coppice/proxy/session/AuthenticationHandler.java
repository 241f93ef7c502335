package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ChannelBinding;
import dev.coppice.proxy.auth.ScramException;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramServer;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import io.netty.channel.ChannelHandlerContext;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The second phase: SCRAM against the stored verifier. A role, endpoint or branch that does not exist goes through
 * the same exchange with a mock verifier and fails at the same point with the same words.
 */
final class AuthenticationHandler extends LoginHandler {
    private static final Logger log = LoggerFactory.getLogger(AuthenticationHandler.class);

    private enum Step {
        LOOK_UP,
        CLIENT_FIRST,
        CLIENT_FINAL
    }

    private final Login login;
    private Step step = Step.LOOK_UP;
    private @Nullable ScramServer scram;

    AuthenticationHandler(ClientConnection connection, RouteRequest request, Route route) {
        super(connection);
        this.login = new Login(connection, request, route);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        await(ctx, login.verifier(), found -> lookedUp(ctx, found));
    }

    private void lookedUp(ChannelHandlerContext ctx, Optional<String> found) {
        Optional<ScramVerifier> real = found.flatMap(ScramVerifier::parse);
        if (found.isPresent() && real.isEmpty()) {
            log.warn(
                    "role {} has a password that is not SCRAM-SHA-256",
                    ClientConnection.field(login.request().user()));
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
    void respond(ChannelHandlerContext ctx, byte[] body) {
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
}
