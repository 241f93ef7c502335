package dev.coppice.proxy.session;

import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.Router;
import io.netty.channel.ChannelHandlerContext;
import java.util.Optional;

/**
 * The second phase of a client that is asked for its password as it is: because it came over TLS and said nowhere where it
 * wants to go, which the password may say ({@link PasswordPrefix}), or because it came through a WebSocket.
 */
final class PasswordHandler extends LoginHandler {
    private final RouteRequest request;
    private final Optional<Route> known;
    private final Optional<PgError> noRoute;
    private boolean answered;

    /** @param noRoute what to say when the password does not name an endpoint either */
    PasswordHandler(ClientConnection connection, RouteRequest request, PgErrorException noRoute) {
        super(connection);
        this.request = request;
        this.known = Optional.empty();
        this.noRoute = Optional.of(noRoute.error());
    }

    /** @param route where it wants to go */
    PasswordHandler(ClientConnection connection, RouteRequest request, Route route) {
        super(connection);
        this.request = request;
        this.known = Optional.of(route);
        this.noRoute = Optional.empty();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ctx.writeAndFlush(ServerMessages.cleartextPassword(ctx.alloc()));
    }

    @Override
    void respond(ChannelHandlerContext ctx, byte[] body) {
        if (answered) {
            return;
        }
        answered = true;
        if (known.isPresent()) {
            check(ctx, new Login(connection, request, known.get()), PasswordPrefix.text(body));
            return;
        }
        Optional<PasswordPrefix> prefix = PasswordPrefix.parse(body);
        if (prefix.isEmpty()) {
            noRoute.ifPresent(error -> connection.refuse(Outcome.NO_ROUTE, error));
            return;
        }
        RouteRequest hinted = request.withEndpoint(prefix.get().endpointId());
        Route route = new Router(connection.services.directory()).route(hinted);
        connection.routed(route.label());
        if (connection.mayTry(route)) {
            check(ctx, new Login(connection, hinted, route), prefix.get().password());
        }
    }

    private void check(ChannelHandlerContext ctx, Login login, String password) {
        await(
                ctx,
                login.verifier().thenCompose(found -> {
                    Optional<ScramVerifier> real = found.flatMap(ScramVerifier::parse);
                    return connection.services.passwords().check(real.orElseGet(login::mock), password);
                }),
                keys -> checked(ctx, login, keys));
    }

    private void checked(ChannelHandlerContext ctx, Login login, Optional<ScramKeys> keys) {
        if (keys.isPresent() && login.route() instanceof Route.Known(RoutedEndpoint endpoint)) {
            ctx.write(ServerMessages.authenticationOk(ctx.alloc()));
            login.accepted(ctx, this, endpoint, keys.get());
        } else {
            login.rejected();
        }
    }
}
