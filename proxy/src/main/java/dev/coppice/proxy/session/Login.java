package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.pgwire.AuthenticationDecoder;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pool.PooledSession;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What all ways to prove a password have in common: finding what it is proved against, and both ends. */
record Login(ClientConnection connection, RouteRequest request, Route route) {
    /** The superuser of Coppice itself: exists in every branch, but for nobody who comes through the proxy. */
    private static final String INTERNAL_ROLE = "coppice_admin";

    /** The verifier of the role; empty when there is no such role, endpoint or branch. */
    CompletionStage<Optional<String>> verifier() {
        // Asked in any case: an answer that comes faster would tell that there is no such endpoint.
        boolean exists = route instanceof Route.Known && !request.user().equals(INTERNAL_ROLE);
        try {
            return connection
                    .services
                    .directory()
                    .verifier(route.label(), request.user())
                    .thenApply(found -> exists ? found : Optional.empty());
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Stands for the verifier of a role that there is not. */
    ScramVerifier mock() {
        String place = route instanceof Route.Known(RoutedEndpoint endpoint) ? endpoint.projectId() : route.label();
        return connection.services.mockVerifiers().mock(place, request.user());
    }

    /** The password is proved and the client has been told: exchanges the handlers for those of the next phase. */
    void accepted(ChannelHandlerContext ctx, ChannelHandler current, RoutedEndpoint asked, ScramKeys keys) {
        Optional<ClientConnection.Objection> objection = connection.objectionTo(asked);
        if (objection.isPresent()) {
            connection.refuse(objection.get().outcome(), objection.get().error());
            return;
        }
        connection.authenticated();
        ctx.flush();
        RoutedEndpoint endpoint = destination(asked);
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
            remove(ctx, current);
            connection.services.pools().move(ctx.channel(), session);
        } else {
            ctx.pipeline().addLast(new HoldHandler(connection, endpoint, request.computeParameters(), keys));
            remove(ctx, current);
        }
    }

    /** Where the client comes to that has proved its password: nobody may be sent anywhere without this. */
    RoutedEndpoint destination(RoutedEndpoint asked) {
        return connection.services.directory().seenBy(asked, request.user());
    }

    /** What the decoder has buffered goes to its successor. */
    private static void remove(ChannelHandlerContext ctx, ChannelHandler current) {
        ctx.pipeline().remove(current);
        ctx.pipeline().remove(AuthenticationDecoder.class);
    }

    void rejected() {
        connection.wrongPassword();
        connection.refuse(Outcome.WRONG_PASSWORD, wrongPassword());
    }

    /** What one hears whose password is wrong, or who names what there is not. */
    PgError wrongPassword() {
        return PgError.of(
                SqlState.INVALID_PASSWORD,
                "password authentication failed for user \"" + ClientConnection.shown(request.user()) + "\"",
                "Check the password, the role, and the endpoint or branch the connection names. Where several projects have"
                        + " a branch of that name, or two names do not belong together, name the endpoint only:"
                        + " options=endpoint=<endpoint id>. A password that was stored as MD5 has to be set once more: only"
                        + " SCRAM-SHA-256 is understood.");
    }
}
