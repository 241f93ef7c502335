package dev.coppice.proxy.session;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.ClientMessage;
import dev.coppice.proxy.pgwire.PgError;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The second phase, however the client proves its password: its messages, its leaving, and look-ups that fail. */
abstract class LoginHandler extends SimpleChannelInboundHandler<ClientMessage> {
    static final PgError NOT_NOW = PgError.of(
            SqlState.CANNOT_CONNECT_NOW, "passwords cannot be checked at the moment", "Try again in a few seconds.");

    private static final Logger log = LoggerFactory.getLogger(LoginHandler.class);

    final ClientConnection connection;

    LoginHandler(ClientConnection connection) {
        this.connection = connection;
    }

    /** @param body of the message that answers what was asked for */
    abstract void respond(ChannelHandlerContext ctx, byte[] body);

    /** Goes on with the result, on the event loop, where the client still waits for it. */
    final <T> void await(ChannelHandlerContext ctx, CompletionStage<T> result, Consumer<T> then) {
        result.whenCompleteAsync(
                (found, failure) -> {
                    if (ctx.isRemoved() || connection.ending()) {
                        return;
                    }
                    if (failure == null) {
                        then.accept(found);
                    } else {
                        log.warn("a password cannot be checked", failure);
                        connection.refuse(Outcome.INTERNAL, NOT_NOW);
                    }
                },
                ctx.executor());
    }

    @Override
    protected final void channelRead0(ChannelHandlerContext ctx, ClientMessage message) {
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

    @Override
    public final void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        connection.drop(Outcome.PROTOCOL, String.valueOf(cause.getMessage()));
    }
}
