package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.PasswordChecker;
import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.auth.ScramVerifier;
import dev.coppice.proxy.http.Gate;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import dev.coppice.proxy.pgwire.StartupDecoder;
import dev.coppice.proxy.relay.LiveSession;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.route.Router;
import io.netty.channel.ChannelHandlerContext;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets HTTP requests in by the same rules as sessions: addresses, rates, routes, and the password against the stored
 * verifier, or a mock one where there is no such role or endpoint. A password that was right lately is no attempt to log in.
 */
final class HttpGate implements Gate {
    private static final Logger log = LoggerFactory.getLogger(HttpGate.class);

    private final ClientConnection connection;
    private final Optional<String> serverName;
    private boolean began;

    /** @param serverName of the TLS handshake */
    HttpGate(ClientConnection connection, Optional<String> serverName) {
        this.connection = connection;
        this.serverName = serverName;
    }

    @Override
    public CompletionStage<Admission> admit(Map<String, String> startup, String host, String password) {
        connection.objectionToAddress().ifPresent(this::object);
        objectionToConnection().ifPresent(this::object);
        Map<String, String> parameters = new LinkedHashMap<>(startup);
        parameters.put("client_encoding", "UTF8");
        RouteRequest request;
        Route route;
        try {
            request = RouteRequest.parse(
                    parameters,
                    Optional.of(host),
                    connection.services.settings().domains());
            route = new Router(connection.services.directory()).route(request);
        } catch (PgErrorException e) {
            note(Outcome.NO_ROUTE, e.error());
            throw e;
        }
        Login login = new Login(connection, request, route);
        connection.named(request.user(), request.database(), route.label());
        return login.verifier()
                .handle((found, failure) -> {
                    if (failure != null) {
                        log.error(
                                "cannot look up a verifier for endpoint {}",
                                ClientConnection.field(route.label()),
                                failure);
                        throw new PgErrorException(LoginHandler.NOT_NOW);
                    }
                    return found.flatMap(ScramVerifier::parse).orElseGet(login::mock);
                })
                .thenComposeAsync(verifier -> check(login, verifier, password), connection.eventLoop())
                .thenApply(keys -> admission(login, keys));
    }

    private CompletionStage<Optional<ScramKeys>> check(Login login, ScramVerifier verifier, String password) {
        PasswordChecker passwords = connection.services.passwords();
        Optional<ScramKeys> known = passwords.known(verifier, password);
        if (known.isPresent()) {
            return CompletableFuture.completedFuture(known);
        }
        connection
                .objectionToAttempt()
                .or(() -> connection.objectionToAttempt(login.route()))
                .ifPresent(this::object);
        return passwords
                .learn(verifier, password)
                .handleAsync(
                        (keys, failure) -> {
                            if (failure != null) {
                                log.warn("a password cannot be checked", failure);
                                throw new PgErrorException(LoginHandler.NOT_NOW);
                            }
                            return keys;
                        },
                        connection.eventLoop());
    }

    /** On the event loop. */
    private Admission admission(Login login, Optional<ScramKeys> keys) {
        if (keys.isEmpty() || !(login.route() instanceof Route.Known(RoutedEndpoint endpoint))) {
            connection.wrongPassword();
            note(Outcome.WRONG_PASSWORD, login.wrongPassword());
            throw new PgErrorException(login.wrongPassword());
        }
        connection.objectionTo(endpoint).ifPresent(this::object);
        return new Admission(
                login.destination(endpoint).endpointId(), login.request().computeParameters(), keys.get());
    }

    private Optional<ClientConnection.Objection> objectionToConnection() {
        if (connection.overLimit()) {
            return Optional.of(new ClientConnection.Objection(
                    Outcome.TOO_MANY,
                    PgError.of(
                            SqlState.TOO_MANY_CONNECTIONS,
                            "sorry, too many clients already",
                            "Close connections, or raise proxy.max_connections.")));
        }
        if (connection.services.settings().tlsRequired() && !connection.encrypted()) {
            return Optional.of(new ClientConnection.Objection(
                    Outcome.INSECURE,
                    PgError.of(SqlState.INVALID_AUTHORIZATION_SPECIFICATION, "connection is insecure", "Use https.")));
        }
        return Optional.empty();
    }

    private void object(ClientConnection.Objection objection) {
        note(objection.outcome(), objection.error());
        throw new PgErrorException(objection.error());
    }

    private void note(Outcome outcome, PgError error) {
        if (!began) {
            connection.ending(outcome, error.state().code() + " " + error.message());
        }
    }

    @Override
    public void began(LiveSession session) {
        began = true;
        connection.authenticated();
        connection.sessionBegan(session);
    }

    @Override
    public void ended(String why) {
        connection.ending(began ? Outcome.SESSION : Outcome.CLIENT_LEFT, why);
    }

    @Override
    public void openWebSocket(ChannelHandlerContext ctx, Optional<String> host) {
        StartupHandler startup = new StartupHandler(connection);
        // The name in the TLS handshake is that of the proxy, where it is not the endpoint's too.
        startup.webSocket(host.or(() -> serverName));
        ctx.pipeline().addLast(new StartupDecoder(), startup);
    }
}
