package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.HttpEntrance;
import dev.coppice.proxy.pgwire.AuthenticationDecoder;
import dev.coppice.proxy.pgwire.ClientMessage;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.pgwire.StartupDecoder;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RouteRequest;
import dev.coppice.proxy.route.Router;
import dev.coppice.proxy.tls.TlsIdentity;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.List;
import java.util.Optional;

/** The first phase: encryption, cancel requests, the startup packet and its route. */
final class StartupHandler extends SimpleChannelInboundHandler<ClientMessage> {
    /** One for TLS and one for GSSAPI; who asks more often does not mean it. */
    private static final int MAX_ENCRYPTION_REQUESTS = 2;

    private final ClientConnection connection;
    private int encryptionRequests;
    private boolean directTls;
    private boolean webSocket;
    private Optional<String> serverName = Optional.empty();

    StartupHandler(ClientConnection connection) {
        this.connection = connection;
    }

    /** The connection began with a TLS handshake. */
    void directTls() {
        directTls = true;
    }

    /**
     * The connection is a WebSocket.
     *
     * @param host that it is meant for, where it says so
     */
    void webSocket(Optional<String> host) {
        webSocket = true;
        serverName = host;
    }

    /** The connection speaks HTTP: other handlers take over. */
    void becomeHttp(ChannelPipeline pipeline) {
        HttpEntrance.open(pipeline, connection.services.http(), new HttpGate(connection, serverName));
        pipeline.remove(this);
        pipeline.remove(StartupDecoder.class);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ClientMessage message) {
        if (connection.ending()) {
            return;
        }
        switch (message) {
            case ClientMessage.SslRequest() -> encryption(ctx, webSocket ? Optional.empty() : connection.tls());
            case ClientMessage.GssRequest() -> encryption(ctx, Optional.empty());
            case ClientMessage.CancelRequest(var key) -> CancelForwarder.forward(ctx.channel(), connection, key);
            case ClientMessage.Startup startup -> startup(ctx, startup);
            case ClientMessage.Malformed(PgError error) -> connection.refuse(Outcome.PROTOCOL, error);
            case ClientMessage.AuthenticationResponse _, ClientMessage.Terminate _ ->
                throw new IllegalStateException("not a startup packet: " + message);
        }
    }

    private void encryption(ChannelHandlerContext ctx, Optional<TlsIdentity> identity) {
        encryptionRequests++;
        if ((connection.encrypted() && !webSocket) || encryptionRequests > MAX_ENCRYPTION_REQUESTS) {
            connection.refuse(
                    Outcome.PROTOCOL,
                    PgError.of(
                            SqlState.PROTOCOL_VIOLATION,
                            "unexpected encryption request",
                            "This is a bug of the client."));
            return;
        }
        // Written before the handler is there, so it goes out in clear.
        ctx.writeAndFlush(ServerMessages.encryptionAnswer(ctx.alloc(), identity.isPresent()));
        identity.ifPresent(tls -> ctx.pipeline()
                .addFirst(tls.newHandler(
                        ctx.alloc(), connection.services.settings().handshakeTimeout())));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake) {
            if (handshake.isSuccess()) {
                encrypted(ctx, ctx.pipeline().get(SslHandler.class));
            } else {
                connection.drop(
                        Outcome.PROTOCOL,
                        "TLS handshake failed: " + handshake.cause().getMessage());
            }
        }
        ctx.fireUserEventTriggered(event);
    }

    private void encrypted(ChannelHandlerContext ctx, SslHandler handler) {
        connection.encryptedNow(TlsIdentity.channelBinding(handler), TlsIdentity.clientName(handler));
        serverName = TlsIdentity.serverName(handler);
        String protocol = handler.applicationProtocol();
        if (!directTls || TlsIdentity.ALPN_POSTGRESQL.equals(protocol)) {
            return;
        }
        ChannelPipeline pipeline = ctx.pipeline();
        if (!connection.services.http().settings().enabled()) {
            refuseWithoutAlpn();
        } else if (TlsIdentity.ALPN_HTTP.equals(protocol)) {
            becomeHttp(pipeline);
        } else {
            pipeline.addBefore(pipeline.context(StartupDecoder.class).name(), null, new UnnamedProtocolDetector(this));
        }
    }

    void refuseWithoutAlpn() {
        connection.refuse(
                Outcome.PROTOCOL,
                PgError.of(
                        SqlState.PROTOCOL_VIOLATION,
                        "received direct SSL connection request without ALPN protocol negotiation extension",
                        "Use a client that names the ALPN protocol \"postgresql\", or sslnegotiation=postgres."));
    }

    private void startup(ChannelHandlerContext ctx, ClientMessage.Startup startup) {
        try {
            RouteRequest request = RouteRequest.parse(
                    startup.parameters(),
                    serverName,
                    connection.services.settings().domains());
            connection.startupReceived(
                    request.user(), request.database(), startup.version().negotiated());
            negotiateVersion(ctx, startup);
            if (!mayGoOn()) {
                return;
            }
            authenticate(ctx, request);
        } catch (PgErrorException e) {
            connection.refuse(Outcome.NO_ROUTE, e.error());
        }
    }

    private void authenticate(ChannelHandlerContext ctx, RouteRequest request) {
        Route route;
        try {
            route = new Router(connection.services.directory()).route(request);
        } catch (PgErrorException e) {
            if (!request.hints().isEmpty() || !connection.encrypted()) {
                throw e;
            }
            next(ctx, new PasswordHandler(connection, request, e));
            return;
        }
        connection.routed(route.label());
        if (!connection.mayTry(route)) {
            return;
        }
        if (webSocket) {
            // What speaks through WebSockets sends its password unasked, together with the startup packet.
            next(ctx, new PasswordHandler(connection, request, route));
        } else {
            next(ctx, new AuthenticationHandler(connection, request, route));
        }
    }

    /** Handlers change from the tail forward: what the decoder has buffered goes to its successor. */
    private void next(ChannelHandlerContext ctx, ChannelHandler handler) {
        ctx.pipeline().addLast(handler);
        ctx.pipeline().remove(this);
        ctx.pipeline()
                .replace(StartupDecoder.class, null, new AuthenticationDecoder(handler instanceof PasswordHandler));
    }

    private void negotiateVersion(ChannelHandlerContext ctx, ClientMessage.Startup startup) {
        List<String> unknownOptions = RouteRequest.protocolOptions(startup.parameters());
        if (!unknownOptions.isEmpty() || !startup.version().equals(connection.version())) {
            ctx.write(
                    ServerMessages.negotiateProtocolVersion(ctx.alloc(), connection.version(), unknownOptions),
                    ctx.voidPromise());
        }
    }

    private boolean mayGoOn() {
        if (connection.overLimit()) {
            connection.refuse(
                    Outcome.TOO_MANY,
                    PgError.of(
                            SqlState.TOO_MANY_CONNECTIONS,
                            "sorry, too many clients already",
                            "Close connections, or raise proxy.max_connections (now "
                                    + connection.services.settings().maxConnections() + ")."));
            return false;
        }
        if (connection.services.settings().tlsRequired() && !connection.encrypted()) {
            connection.refuse(
                    Outcome.INSECURE,
                    PgError.of(
                            SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                            "connection is insecure",
                            "Connect with sslmode=require."));
            return false;
        }
        return connection.mayTry();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.PROTOCOL, String.valueOf(cause.getMessage()));
    }
}
