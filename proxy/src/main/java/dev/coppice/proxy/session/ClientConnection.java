package dev.coppice.proxy.session;

import dev.coppice.common.LogText;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.auth.ChannelBinding;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.pgwire.ServerMessages;
import dev.coppice.proxy.relay.LiveSession;
import dev.coppice.proxy.route.Route;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.tls.TlsIdentity;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * What is known about one client connection while its phases come and go: it refuses, keeps the handshake deadline,
 * and writes the one log line at the end. Confined to the channel's event loop.
 */
final class ClientConnection {
    private static final Logger log = LoggerFactory.getLogger(ClientConnection.class);
    private static final AttributeKey<ClientConnection> KEY =
            AttributeKey.valueOf(ClientConnection.class, "connection");
    private static final AtomicLong NEXT_ID = new AtomicLong(1);
    /** Names longer than Postgres's NAMEDATALEN are cut in logs and messages. */
    private static final int MAX_SHOWN_CHARS = 63;

    private static final PgError TOO_OFTEN = PgError.of(
            SqlState.TOO_MANY_CONNECTIONS,
            "too many connection attempts",
            "Wait a moment, then connect less often, with a connection pool for example.");

    private enum Phase {
        STARTUP("before its startup packet"),
        AUTHENTICATION("while authenticating"),
        HELD("while waiting for its compute"),
        SESSION("in session");

        private final String description;

        Phase(String description) {
            this.description = description;
        }
    }

    final SessionServices services;
    private final Channel channel;
    private final boolean overLimit;
    private final long id = NEXT_ID.getAndIncrement();
    private final long startedNanos = System.nanoTime();
    private final Optional<TlsIdentity> tls;
    private @Nullable Future<?> deadline;
    private @Nullable Outcome outcome;
    private String reason = "";
    private String user = "";
    private String database = "";
    private String route = "";
    private SocketAddress client;
    private boolean encrypted;
    private Optional<ChannelBinding> channelBinding = Optional.empty();
    private Optional<String> certificate = Optional.empty();
    private boolean counted;
    private boolean known;
    private Phase phase = Phase.STARTUP;
    private ProtocolVersion version = ProtocolVersion.V3_0;
    private @Nullable LiveSession session;

    private ClientConnection(Channel channel, SessionServices services) {
        this.channel = channel;
        this.services = services;
        this.client = channel.remoteAddress();
        this.tls = services.tls().current();
        this.overLimit = services.metrics().opened() > services.settings().maxConnections();
    }

    /** Takes charge of a connection just accepted. */
    static ClientConnection begin(Channel channel, SessionServices services) {
        ClientConnection connection = new ClientConnection(channel, services);
        channel.attr(KEY).set(connection);
        Duration timeout = services.settings().handshakeTimeout();
        connection.deadline =
                channel.eventLoop().schedule(connection::handshakeTimedOut, timeout.toMillis(), TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(_ -> connection.closed());
        return connection;
    }

    /** Ends the connection because the proxy stops; may be called on any thread. */
    static void shutDown(Channel channel) {
        channel.eventLoop().execute(() -> {
            ClientConnection connection = channel.attr(KEY).get();
            if (connection == null) {
                channel.close();
            } else {
                connection.shutDown();
            }
        });
    }

    /** Ends the connection as soon as it has no transaction open, because the proxy stops; may be called on any thread. */
    static void drain(Channel channel) {
        channel.eventLoop().execute(() -> {
            ClientConnection connection = channel.attr(KEY).get();
            if (connection == null) {
                channel.close();
            } else if (connection.session != null) {
                connection.session.drain();
            } else {
                connection.shutDown();
            }
        });
    }

    private void shutDown() {
        if (session != null) {
            session.shutDown();
        } else {
            refuse(
                    Outcome.SHUTDOWN,
                    PgError.of(
                            SqlState.ADMIN_SHUTDOWN,
                            "terminating connection because Coppice is shutting down",
                            "Connect again once it is back."));
        }
    }

    boolean overLimit() {
        return overLimit;
    }

    boolean encrypted() {
        return encrypted;
    }

    /** Whether the end has been decided; nothing that still arrives matters. */
    boolean ending() {
        return outcome != null && outcome != Outcome.SESSION;
    }

    ProtocolVersion version() {
        return version;
    }

    /** The identity that the proxy shows on this connection; later ones may have been loaded since. */
    Optional<TlsIdentity> tls() {
        return tls;
    }

    /**
     * The TLS handshake is done.
     *
     * @param binding of the certificate that was shown
     * @param name in the client's certificate
     */
    void encryptedNow(Optional<ChannelBinding> binding, Optional<String> name) {
        encrypted = true;
        channelBinding = binding;
        certificate = name;
    }

    /** What SCRAM-SHA-256-PLUS binds to. */
    Optional<ChannelBinding> channelBinding() {
        return channelBinding;
    }

    /**
     * Says where the client really is, before anything that it sends is heard; false, and closed unheard, when too many
     * connections from there have proved no password.
     */
    boolean isFrom(SocketAddress address) {
        if (!channel.isOpen()) {
            return false;
        }
        client = address;
        counted =
                services.unauthenticated().enter(address(), services.settings().unauthenticatedPerAddress());
        if (!counted) {
            drop(Outcome.RATE_LIMITED, "too many connections that have proved no password");
        }
        return counted;
    }

    /** The same for all that are not of the internet. */
    static InetAddress internetAddress(SocketAddress address) {
        return address instanceof InetSocketAddress socket ? socket.getAddress() : InetAddress.getLoopbackAddress();
    }

    private InetAddress address() {
        return internetAddress(client);
    }

    /** Why a client is not let in. */
    record Objection(Outcome outcome, PgError error) {}

    /** Whether the client may log in from where it is, and has not tried too often; refuses otherwise. */
    boolean mayTry() {
        Optional<Objection> objection = objectionToAddress().or(this::objectionToAttempt);
        objection.ifPresent(found -> refuse(found.outcome, found.error));
        return objection.isEmpty();
    }

    /** Where the client is may be reason enough not to hear it, or that it has guessed too many passwords. */
    Optional<Objection> objectionToAddress() {
        InetAddress address = address();
        if (!services.settings().allowedAddresses().allows(address)) {
            return Optional.of(new Objection(
                    Outcome.NOT_ALLOWED,
                    PgError.of(
                            SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                            "connections from " + address.getHostAddress() + " are not allowed",
                            "Ask whoever runs this server to add the address to proxy.allowed_addresses.")));
        }
        return services.limiter().guesses(address)
                ? Optional.of(new Objection(Outcome.RATE_LIMITED, TOO_OFTEN))
                : Optional.empty();
    }

    /** Counts an attempt to log in: there may have been too many. */
    Optional<Objection> objectionToAttempt() {
        return services.limiter().attempt(address())
                ? Optional.empty()
                : Optional.of(new Objection(Outcome.RATE_LIMITED, TOO_OFTEN));
    }

    /** Counts an attempt to log in to where it leads: there may have been too many. */
    Optional<Objection> objectionToAttempt(Route to) {
        // Names that nobody has are counted too: that they are not would tell.
        return services.limiter().attempt(to.label())
                ? Optional.empty()
                : Optional.of(new Objection(Outcome.RATE_LIMITED, TOO_OFTEN));
    }

    /** Whether the endpoint is not asked for too often; refuses otherwise. */
    boolean mayTry(Route to) {
        Optional<Objection> objection = objectionToAttempt(to);
        objection.ifPresent(found -> refuse(found.outcome, found.error));
        return objection.isEmpty();
    }

    /** The endpoint's owner may let clients in from certain addresses only. Asked after the password is proved. */
    Optional<Objection> objectionTo(RoutedEndpoint endpoint) {
        InetAddress address = address();
        return services.directory().allows(endpoint.endpointId(), address)
                ? Optional.empty()
                : Optional.of(new Objection(
                        Outcome.NOT_ALLOWED,
                        PgError.of(
                                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                                "connections from " + address.getHostAddress() + " are not allowed to this branch",
                                "Ask whoever owns the project to add the address to its allowed IPs.")));
    }

    void wrongPassword() {
        services.limiter().failure(address());
    }

    /** The client speaks the protocol, so it can be told errors. */
    void startupReceived(String user, String database, ProtocolVersion version) {
        phase = Phase.AUTHENTICATION;
        this.user = user;
        this.database = database;
        this.version = version;
    }

    /** For the log line; of the first of several requests. */
    void named(String newUser, String newDatabase, String newRoute) {
        if (user.isEmpty()) {
            user = newUser;
            database = newDatabase;
            route = newRoute;
        }
    }

    EventLoop eventLoop() {
        return channel.eventLoop();
    }

    void routed(String label) {
        route = label;
    }

    /** The password is proved: from here on the wake deadline counts. */
    void authenticated() {
        phase = Phase.HELD;
        known = true;
        leaveUnauthenticated();
        services.metrics().known();
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    private void leaveUnauthenticated() {
        if (counted) {
            counted = false;
            services.unauthenticated().leave(address());
        }
    }

    void sessionBegan(LiveSession newSession) {
        session = newSession;
        outcome = Outcome.SESSION;
        phase = Phase.SESSION;
        services.metrics().sessionBegan();
        services.metrics().login.update(System.nanoTime() - startedNanos, TimeUnit.NANOSECONDS);
    }

    /** Notes why the connection ends; the first reason counts. */
    void ending(Outcome how, String why) {
        if (outcome == null) {
            outcome = how;
        }
        if (reason.isEmpty()) {
            reason = why;
        }
    }

    /** Tells the client and closes. */
    void refuse(Outcome how, PgError error) {
        if (ending()) {
            return;
        }
        ending(how, error.state().code() + " " + error.message());
        channel.writeAndFlush(ServerMessages.error(channel.alloc(), error)).addListener(ChannelFutureListener.CLOSE);
    }

    /** Closes without a word. */
    void drop(Outcome how, String why) {
        ending(how, why);
        channel.close();
    }

    private void handshakeTimedOut() {
        if (phase != Phase.STARTUP) {
            refuse(
                    Outcome.TIMEOUT,
                    PgError.of(
                            SqlState.QUERY_CANCELED,
                            "canceling authentication due to timeout",
                            "The client took longer than "
                                    + services.settings().handshakeTimeout().toSeconds() + " s to authenticate."));
        } else {
            drop(Outcome.TIMEOUT, "no startup packet in time");
        }
    }

    private void closed() {
        if (deadline != null) {
            deadline.cancel(false);
        }
        ending(Outcome.CLIENT_LEFT, "client closed the connection " + phase.description);
        Outcome end = outcome == null ? Outcome.CLIENT_LEFT : outcome;
        leaveUnauthenticated();
        services.metrics().closed(end, known);
        long fromClient = session == null ? 0 : session.bytesFromClient();
        long fromCompute = session == null ? 0 : session.bytesFromCompute();
        services.metrics().bytesFromClients.mark(fromClient);
        services.metrics().bytesFromComputes.mark(fromCompute);
        // What went well is not news: a client without a pool would fill the log.
        log.atLevel(end == Outcome.SESSION || end == Outcome.CANCEL ? Level.DEBUG : Level.INFO)
                .log(
                        "connection ended: id={} client={} via={} tls={} certificate={} protocol={} user={} database={} route={} outcome={}"
                                + " reason={} duration_ms={} bytes_in={} bytes_out={}",
                        id,
                        client,
                        Objects.equals(client, channel.remoteAddress()) ? "-" : channel.remoteAddress(),
                        encrypted,
                        field(certificate.orElse("-")),
                        version,
                        field(user),
                        field(database),
                        field(route),
                        end.label(),
                        LogText.quoted(reason),
                        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos),
                        fromClient,
                        fromCompute);
    }

    /** A name as messages to its client may show it: cut, and on one line. */
    static String shown(String name) {
        StringBuilder out = new StringBuilder();
        cut(name).chars().forEach(c -> out.append(Character.isISOControl(c) ? '?' : (char) c));
        return out.toString();
    }

    /** A name as logs may show it: cut, and nothing but itself. */
    static String field(String name) {
        return LogText.field(cut(name));
    }

    private static String cut(String name) {
        return name.length() > MAX_SHOWN_CHARS ? name.substring(0, MAX_SHOWN_CHARS) : name;
    }
}
