package dev.coppice.proxy;

import dev.coppice.proxy.http.HttpSettings;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.tls.TlsSettings;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * How the proxy runs.
 *
 * @param listen address and port; port 0 takes a free one
 * @param tls the certificate
 * @param tlsRequired whether connections in clear are refused
 * @param domains a server name (SNI) directly under one of these names a branch or endpoint by its first label; an
 *     {@code ep-...} label counts under any domain
 * @param maxConnections client connections at one time
 * @param handshakeTimeout from a connection's beginning to its proved password
 * @param wakeTimeout from there until the compute has accepted the login
 * @param ioThreads event loops; 0 means one per two processors
 * @param pool limits of pooled endpoints
 * @param http limits of SQL over HTTP
 * @param allowedAddresses from where one may log in
 * @param rateLimits of connection attempts
 * @param drainTimeout how long open transactions may go on when the proxy stops
 */
public record ProxyConfiguration(
        InetSocketAddress listen,
        TlsSettings tls,
        boolean tlsRequired,
        List<String> domains,
        int maxConnections,
        Duration handshakeTimeout,
        Duration wakeTimeout,
        int ioThreads,
        PoolSettings pool,
        HttpSettings http,
        AddressRanges allowedAddresses,
        RateLimits rateLimits,
        Duration drainTimeout) {
    public static final int DEFAULT_MAX_CONNECTIONS = 10_000;
    public static final Duration DEFAULT_HANDSHAKE_TIMEOUT = Duration.ofSeconds(15);
    public static final Duration DEFAULT_WAKE_TIMEOUT = Duration.ofSeconds(60);
    public static final Duration DEFAULT_DRAIN_TIMEOUT = Duration.ofSeconds(10);
    private static final List<String> DEFAULT_DOMAINS = List.of("localhost");

    public ProxyConfiguration {
        if (maxConnections < 1) {
            throw new IllegalArgumentException("proxy.max_connections must be at least 1, not " + maxConnections);
        }
        if (!handshakeTimeout.isPositive() || !wakeTimeout.isPositive()) {
            throw new IllegalArgumentException("the timeouts of the proxy must be longer than 0 s");
        }
        if (drainTimeout.isNegative()) {
            throw new IllegalArgumentException("proxy.drain_timeout_seconds must be at least 0");
        }
        if (ioThreads < 0) {
            throw new IllegalArgumentException("proxy.io_threads must be at least 0, not " + ioThreads);
        }
        if (tlsRequired && tls instanceof TlsSettings.Off) {
            throw new IllegalArgumentException("TLS cannot be both required and off");
        }
        domains =
                domains.stream().map(domain -> domain.toLowerCase(Locale.ROOT)).toList();
    }

    /** Everything but the address and the certificate as shipped. */
    public static ProxyConfiguration defaults(InetSocketAddress listen, TlsSettings tls) {
        return new ProxyConfiguration(
                listen,
                tls,
                false,
                DEFAULT_DOMAINS,
                DEFAULT_MAX_CONNECTIONS,
                DEFAULT_HANDSHAKE_TIMEOUT,
                DEFAULT_WAKE_TIMEOUT,
                0,
                PoolSettings.DEFAULTS,
                HttpSettings.DEFAULTS,
                AddressRanges.ALL,
                RateLimits.DEFAULTS,
                DEFAULT_DRAIN_TIMEOUT);
    }
}
