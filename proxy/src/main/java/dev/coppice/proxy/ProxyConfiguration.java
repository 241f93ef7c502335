package dev.coppice.proxy;

import dev.coppice.proxy.http.HttpSettings;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.session.ProxyProtocol;
import dev.coppice.proxy.session.SessionSettings;
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
 * @param proxyProtocol whether load balancers say where a connection came from
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
        ProxyProtocol proxyProtocol,
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

    SessionSettings sessionSettings() {
        return new SessionSettings(
                maxConnections,
                handshakeTimeout,
                domains,
                tlsRequired,
                allowedAddresses,
                rateLimits.unauthenticatedPerAddress(),
                proxyProtocol);
    }

    /** Begins with everything but the address and the certificate as shipped. */
    public static Builder builder(InetSocketAddress listen, TlsSettings tls) {
        return new Builder(listen, tls);
    }

    /** Begins with what this one says. */
    public Builder change() {
        Builder same = new Builder(listen, tls);
        same.tlsRequired = tlsRequired;
        same.proxyProtocol = proxyProtocol;
        same.domains = domains;
        same.maxConnections = maxConnections;
        same.handshakeTimeout = handshakeTimeout;
        same.wakeTimeout = wakeTimeout;
        same.ioThreads = ioThreads;
        same.pool = pool;
        same.http = http;
        same.allowedAddresses = allowedAddresses;
        same.rateLimits = rateLimits;
        same.drainTimeout = drainTimeout;
        return same;
    }

    /** A configuration in the making; each method replaces what the component of its name will be. */
    public static final class Builder {
        private final InetSocketAddress listen;
        private final TlsSettings tls;
        private boolean tlsRequired;
        private ProxyProtocol proxyProtocol = ProxyProtocol.OFF;
        private List<String> domains = List.of("localhost");
        private int maxConnections = 10_000;
        private Duration handshakeTimeout = Duration.ofSeconds(15);
        private Duration wakeTimeout = Duration.ofSeconds(60);
        private int ioThreads;
        private PoolSettings pool = PoolSettings.DEFAULTS;
        private HttpSettings http = HttpSettings.DEFAULTS;
        private AddressRanges allowedAddresses = AddressRanges.ALL;
        private RateLimits rateLimits = RateLimits.DEFAULTS;
        private Duration drainTimeout = Duration.ofSeconds(10);

        private Builder(InetSocketAddress listen, TlsSettings tls) {
            this.listen = listen;
            this.tls = tls;
        }

        public Builder tlsRequired(boolean value) {
            tlsRequired = value;
            return this;
        }

        public Builder proxyProtocol(ProxyProtocol value) {
            proxyProtocol = value;
            return this;
        }

        public Builder domains(List<String> value) {
            domains = value;
            return this;
        }

        public Builder maxConnections(int value) {
            maxConnections = value;
            return this;
        }

        public Builder handshakeTimeout(Duration value) {
            handshakeTimeout = value;
            return this;
        }

        public Builder wakeTimeout(Duration value) {
            wakeTimeout = value;
            return this;
        }

        public Builder ioThreads(int value) {
            ioThreads = value;
            return this;
        }

        public Builder pool(PoolSettings value) {
            pool = value;
            return this;
        }

        public Builder http(HttpSettings value) {
            http = value;
            return this;
        }

        public Builder allowedAddresses(AddressRanges value) {
            allowedAddresses = value;
            return this;
        }

        public Builder rateLimits(RateLimits value) {
            rateLimits = value;
            return this;
        }

        public Builder drainTimeout(Duration value) {
            drainTimeout = value;
            return this;
        }

        /** @throws IllegalArgumentException naming the value that makes no sense */
        public ProxyConfiguration build() {
            return new ProxyConfiguration(
                    listen,
                    tls,
                    tlsRequired,
                    proxyProtocol,
                    domains,
                    maxConnections,
                    handshakeTimeout,
                    wakeTimeout,
                    ioThreads,
                    pool,
                    http,
                    allowedAddresses,
                    rateLimits,
                    drainTimeout);
        }
    }
}
