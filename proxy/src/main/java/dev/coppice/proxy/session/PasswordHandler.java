package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.pgwire.ClientMessage;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.Router;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The second phase of a client that came over TLS and said nowhere where it wants to go: it is asked for its password as
 * it is, which may say so ({@link PasswordPrefix}).
 */
final class PasswordHandler extends SimpleChannelInboundHandler<ClientMessage> {
    private static final Logger log = LoggerFactory.getLogger(PasswordHandler.class);

    private final ClientConnection connection;
    private final RouteRequest request;
    private final PgErrorException noRoute;
    private boolean answered;

    /** @param noRoute what to say when the password does not name an endpoint either */
    PasswordHandler(ClientConnection connection, RouteRequest request, PgErrorException noRoute) {
        this.connection = connection;
        this.request = request;
        this.noRoute = noRoute;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ctx.writeAndFlush(ServerMessages.cleartextPassword(ctx.alloc()));
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ClientMessage message) {
        if (connection.ending()) {
            return;
        }
        switch (message) {
            case ClientMessage.AuthenticationResponse response -> password(ctx, response.body());
            case ClientMessage.Terminate() -> connection.drop(Outcome.CLIENT_LEFT, "client terminated");
            case ClientMessage.Malformed(PgError error) -> connection.refuse(Outcome.PROTOCOL, error);
            case ClientMessage.SslRequest _,
                    ClientMessage.GssRequest _,
                    ClientMessage.CancelRequest _,
                    ClientMessage.Startup _ ->
                throw new IllegalStateException("not an authentication message: " + message);
        }
    }

    private void password(ChannelHandlerContext ctx, byte[] body) {
        Optional<PasswordPrefix> prefix = answered ? Optional.empty() : PasswordPrefix.parse(body);
        answered = true;
        if (prefix.isEmpty()) {
            connection.refuse(Outcome.NO_ROUTE, noRoute.error());
            return;
        }
        RouteRequest hinted = request.withEndpoint(prefix.get().endpointId());
        Route route = new Router(connection.services.directory()).route(hinted);
        connection.routed(route.label());
        if (!connection.mayTry(route)) {
            return;
        }
        Login login = new Login(connection, hinted, route);
        login.verifier()
                .thenCompose(found -> {
                    Optional<ScramVerifier> real = found.flatMap(ScramVerifier::parse);
                    return connection
                            .services
                            .passwords()
                            .check(real.orElseGet(login::mock), prefix.get().password());
                })
                .whenCompleteAsync(
                        (keys, failure) -> {
                            if (ctx.isRemoved() || connection.ending()) {
                                return;
                            }
                            if (failure == null) {
                                checked(ctx, login, keys);
                            } else {
                                checkFailed(failure);
                            }
                        },
                        ctx.executor());
    }

    private void checkFailed(Throwable failure) {
        log.warn("a password cannot be checked", failure);
        connection.refuse(
                Outcome.INTERNAL,
                PgError.of(
                        SqlState.CANNOT_CONNECT_NOW,
                        "passwords cannot be checked at the moment",
                        "Try again in a few seconds."));
    }

    private void checked(ChannelHandlerContext ctx, Login login, Optional<ScramKeys> keys) {
        if (keys.isPresent() && login.route() instanceof Route.Known(RoutedEndpoint endpoint)) {
            ctx.write(ServerMessages.authenticationOk(ctx.alloc()));
            login.accepted(ctx, this, endpoint, keys.get());
        } else {
            login.rejected();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.PROTOCOL, String.valueOf(cause.getMessage()));
    }
}
