package dev.coppice.proxy;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.task.PeriodicTask;
import dev.coppice.proxy.auth.MockVerifiers;
import dev.coppice.proxy.auth.Nonces;
import dev.coppice.proxy.auth.PasswordChecker;
import dev.coppice.proxy.cancel.CancelKeys;
import dev.coppice.proxy.http.HttpServices;
import dev.coppice.proxy.limit.LoginLimiter;
import dev.coppice.proxy.limit.UnauthenticatedConnections;
import dev.coppice.proxy.pool.PoolMetrics;
import dev.coppice.proxy.pool.Pools;
import dev.coppice.proxy.relay.ComputeAccess;
import dev.coppice.proxy.relay.ComputeConnector;
import dev.coppice.proxy.relay.Transport;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.session.ConnectionInitializer;
import dev.coppice.proxy.session.ProxyMetrics;
import dev.coppice.proxy.session.SessionServices;
import dev.coppice.proxy.tls.TlsSource;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running front door. It listens from {@link #start} until {@link #close}. */
public final class ProxyServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ProxyServer.class);
    private static final int BACKLOG = 1024;
    // A session with a slow reader holds at most the high mark and one read per direction.
    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(64 << 10, 256 << 10);
    private static final Duration COMPUTE_CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration TLS_REFRESH = Duration.ofSeconds(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

    private final EventLoopGroup loops;
    private final ChannelGroup connections;
    private final ConnectionInitializer initializer;
    private final Pools pools;
    private final SessionServices services;
    private final Channel listener;
    private final PeriodicTask refresh;
    private final Duration drainTimeout;

    private ProxyServer(
            EventLoopGroup loops,
            ChannelGroup connections,
            ConnectionInitializer initializer,
            Pools pools,
            SessionServices services,
            Channel listener,
            PeriodicTask refresh,
            Duration drainTimeout) {
        this.loops = loops;
        this.connections = connections;
        this.initializer = initializer;
        this.pools = pools;
        this.services = services;
        this.listener = listener;
        this.refresh = refresh;
        this.drainTimeout = drainTimeout;
    }

    /**
     * Makes the certificate if it is missing, and begins to listen.
     *
     * @param secret of the server; keeps mock verifiers the same and cancel keys valid over restarts
     * @param metrics gets the proxy's metrics, all named {@code proxy.*}
     * @throws UncheckedIOException when the address is taken, or the certificate cannot be read
     */
    public static ProxyServer start(
            ProxyConfiguration configuration, EndpointDirectory directory, byte[] secret, MetricRegistry metrics) {
        return start(configuration, directory, secret, metrics, Transport.available());
    }

    static ProxyServer start(
            ProxyConfiguration configuration,
            EndpointDirectory directory,
            byte[] secret,
            MetricRegistry metrics,
            Transport transport) {
        SecureRandom random = new SecureRandom();
        TlsSource tls = TlsSource.open(configuration.tls(), Clock.systemUTC());
        int threads = configuration.ioThreads() > 0 ? configuration.ioThreads() : defaultThreads();
        EventLoopGroup loops =
                new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("proxy"), transport.ioHandlers());
        Nonces nonces = new Nonces(random);
        CancelKeys cancelKeys = new CancelKeys(random, secret);
        ComputeAccess compute = new ComputeAccess(
                directory,
                new ComputeConnector(transport, COMPUTE_CONNECT_TIMEOUT),
                nonces,
                configuration.wakeTimeout(),
                WATER_MARK);
        Pools pools = new Pools(loops, configuration.pool(), compute, cancelKeys, new PoolMetrics(metrics));
        SessionServices services = new SessionServices(
                new AtomicReference<>(configuration.sessionSettings()),
                tls,
                new MockVerifiers(secret),
                nonces,
                new PasswordChecker(),
                new LoginLimiter(configuration.rateLimits(), System::nanoTime),
                new UnauthenticatedConnections(),
                cancelKeys,
                compute,
                pools,
                HttpServices.create(configuration.http(), pools, metrics),
                new ProxyMetrics(metrics));
        ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
        ConnectionInitializer initializer = new ConnectionInitializer(services, connections);
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channel(transport.listener())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .childHandler(initializer)
                .bind(configuration.listen())
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            loops.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly();
            throw new UncheckedIOException(
                    "the proxy cannot listen on " + configuration.listen(), new IOException(bound.cause()));
        }
        PeriodicTask refresh =
                PeriodicTask.named("proxy-certificates").every(TLS_REFRESH).start(tls::refresh);
        ProxyServer server = new ProxyServer(
                loops,
                connections,
                initializer,
                pools,
                services,
                bound.channel(),
                refresh,
                configuration.drainTimeout());
        log.info("proxy listens on {} ({}, {} event loops)", server.address(), transport, threads);
        return server;
    }

    /**
     * One loop per two processors: nearly all of a relay's time is the kernel's, and fewer loops find more than one
     * session ready each time they wake (docs/decisions/016).
     */
    private static int defaultThreads() {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    /**
     * Goes on with another configuration: limits, rates, address lists, timeouts of the handshake, limits of pools and of HTTP,
     * certificates. For connections, server connections and requests made from now on; what is open stays. Address, event loops, wake
     * and drain timeout stay as they were at the start.
     *
     * @throws IllegalStateException when the certificates cannot be used; as {@link java.io.UncheckedIOException}, nothing
     *     has changed then
     */
    public void reload(ProxyConfiguration configuration) {
        services.tls().reload(configuration.tls());
        services.currentSettings().set(configuration.sessionSettings());
        services.limiter().limits(configuration.rateLimits());
        pools.settings(configuration.pool());
        services.http().settings(configuration.http());
    }

    /** Where it really listens. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    /** Whether it takes connections. */
    public boolean listening() {
        return listener.isActive();
    }

    /**
     * Stops to listen and tells idle sessions 57P01. Those with an open transaction may finish it within the drain
     * timeout, then they are ended too.
     */
    @Override
    public void close() {
        refresh.close();
        listener.close().awaitUninterruptibly();
        Future<Void> allGone = connections.newCloseFuture();
        initializer.drain();
        if (!allGone.awaitUninterruptibly(drainTimeout.toMillis())) {
            log.info("ending {} sessions in the middle of a transaction", connections.size());
            initializer.shutDown();
            if (!allGone.awaitUninterruptibly(STOP_TIMEOUT.toMillis())) {
                log.warn("closing {} connections that did not end in time", connections.size());
            }
        }
        pools.close();
        services.passwords().close();
        loops.shutdownGracefully(0, STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .awaitUninterruptibly();
    }
}
