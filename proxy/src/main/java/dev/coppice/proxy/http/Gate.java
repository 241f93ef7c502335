package dev.coppice.proxy.http;

import dev.coppice.proxy.auth.ScramKeys;
import dev.coppice.proxy.relay.LiveSession;
import io.netty.channel.ChannelHandlerContext;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Who lets requests in, and keeps the connection's log line. Called on the connection's event loop. */
public interface Gate {
    /**
     * One who has proved a password.
     *
     * @param endpointId where to
     * @param parameters of the compute's startup packet
     * @param keys to log in there with
     */
    record Admission(String endpointId, Map<String, String> parameters, ScramKeys keys) {}

    /**
     * Checks a login; may complete on any thread, and fails with {@link dev.coppice.proxy.pgwire.PgErrorException}.
     *
     * @param startup the parameters that a startup packet would have
     * @param host that the connection string names
     */
    CompletionStage<Admission> admit(Map<String, String> startup, String host, String password);

    /** The first request was let in: the connection is a session from now on. */
    void began(LiveSession session);

    /** The session ends, for this reason. */
    void ended(String why);

    /**
     * The connection has become a WebSocket: appends the handlers that let a Postgres client in.
     *
     * @param host that the client means to connect to, where it said so
     */
    void openWebSocket(ChannelHandlerContext ctx, Optional<String> host);
}
