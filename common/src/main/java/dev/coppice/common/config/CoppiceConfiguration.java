package dev.coppice.common.config;

import static dev.coppice.common.config.InvalidSettingException.requireRange;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that can be configured, in the shape of {@code config/coppice.yaml}: a record per section, a component per
 * key (snake_case in the file). Units are in the names. Values are checked here, so an instance is always usable.
 *
 * @param dataDirectory where everything durable lives; empty = {@link DataDirectory#standard}
 */
public record CoppiceConfiguration(
        Optional<Path> dataDirectory,
        Proxy proxy,
        Api api,
        Compute compute,
        TimeTravel timeTravel,
        Recovery recovery,
        Postgres postgres,
        Catalog catalog,
        StorageConfiguration storage,
        DiskConfiguration disk,
        Logging logging) {

    /** What holds where the file says nothing. */
    public static final CoppiceConfiguration DEFAULTS = new CoppiceConfiguration(
            Optional.empty(),
            new Proxy(
                    new ListenAddress("127.0.0.1", 5433),
                    Optional.empty(),
                    10_000,
                    15,
                    10,
                    0,
                    List.of(),
                    new ProxyProtocol(ProxyProtocolMode.OFF, List.of()),
                    new Tls(
                            TlsMode.AUTO,
                            false,
                            Optional.empty(),
                            Optional.empty(),
                            List.of(),
                            Optional.empty(),
                            ClientCertificates.REQUIRED),
                    new RateLimits(1_000, 2_000, 100, 2_000),
                    new Pool(64, 10_000, 120, 60, 3600, 500),
                    new Http(true, 10, 10)),
            new Api(
                    new ListenAddress("127.0.0.1", 5480),
                    Optional.empty(),
                    new ApiTls(Optional.empty(), Optional.empty()),
                    false,
                    List.of(),
                    new ApiRateLimits(1_000, 100)),
            new Compute(
                    300,
                    Optional.empty(),
                    "1900000000-1999999999",
                    Optional.empty(),
                    Network.ALL,
                    Network.NONE,
                    1.0,
                    128,
                    30,
                    Optional.empty(),
                    Map.of()),
            new TimeTravel(30, 8),
            new Recovery(604_800, 604_800),
            new Postgres(Optional.empty()),
            new Catalog(16),
            StorageConfiguration.DEFAULTS,
            DiskConfiguration.DEFAULTS,
            new Logging(LogLevel.INFO));

    /**
     * The Postgres front door.
     *
     * @param advertisedAddress what connection strings name; empty = {@code listen}
     * @param maxConnections client connections at once; more are refused with SQLSTATE 53300
     * @param handshakeTimeoutSeconds from accept to a finished login, without the time a wake takes
     * @param drainTimeoutSeconds that open transactions may go on when the server stops
     * @param ioThreads that move bytes; 0 = one per two processors
     * @param allowedAddresses from where one may log in: single ones, ranges, blocks; none = everywhere
     */
    public record Proxy(
            ListenAddress listen,
            Optional<ListenAddress> advertisedAddress,
            int maxConnections,
            int handshakeTimeoutSeconds,
            int drainTimeoutSeconds,
            int ioThreads,
            List<String> allowedAddresses,
            ProxyProtocol proxyProtocol,
            Tls tls,
            RateLimits rateLimits,
            Pool pool,
            Http http) {
        /** Checks ranges. */
        public Proxy {
            requireRange("proxy.max_connections", maxConnections, 1, 1_000_000, "connections");
            requireRange("proxy.handshake_timeout_seconds", handshakeTimeoutSeconds, 1, 600, "seconds");
            requireRange("proxy.drain_timeout_seconds", drainTimeoutSeconds, 0, 3_600, "seconds");
            requireRange("proxy.io_threads", ioThreads, 0, 1_024, "threads");
            allowedAddresses = List.copyOf(allowedAddresses);
        }

        /**
         * What a client on this machine, or behind the advertised address, connects to.
         *
         * @param listening where the proxy listens: as configured, with the port that was found for port 0
         */
        public ListenAddress publicAddress(ListenAddress listening) {
            return advertisedAddress.orElse(listening.connectable());
        }
    }

    /**
     * The header by which a load balancer says from where it got a connection.
     *
     * @param trustedAddresses who may say so; single ones, ranges, blocks
     */
    public record ProxyProtocol(ProxyProtocolMode mode, List<String> trustedAddresses) {
        /** Checks that somebody is trusted when a header may come. */
        public ProxyProtocol {
            trustedAddresses = List.copyOf(trustedAddresses);
            if (mode != ProxyProtocolMode.OFF && trustedAddresses.isEmpty()) {
                throw new InvalidSettingException(
                        "proxy.proxy_protocol.trusted_addresses",
                        "must name the load balancers, because proxy.proxy_protocol.mode is not off");
            }
        }
    }

    /** Whether connections begin with a PROXY protocol header. */
    public enum ProxyProtocolMode {
        /** Nobody sends one. */
        @JsonProperty("off")
        OFF,
        /** A trusted address may send one; others connect directly. */
        @JsonProperty("optional")
        OPTIONAL,
        /** Every connection comes from a trusted address, with one. */
        @JsonProperty("required")
        REQUIRED
    }

    /**
     * Rates above which connection attempts are refused; 0 = no limit.
     *
     * @param attemptsPerAddressPerSecond logins begun from one address
     * @param attemptsPerEndpointPerSecond logins begun for one endpoint
     * @param failuresPerAddressPerMinute wrong passwords from one address
     * @param unauthenticatedConnectionsPerAddress at one time
     */
    public record RateLimits(
            int attemptsPerAddressPerSecond,
            int attemptsPerEndpointPerSecond,
            int failuresPerAddressPerMinute,
            int unauthenticatedConnectionsPerAddress) {
        /** Checks ranges. */
        public RateLimits {
            requireRange(
                    "proxy.rate_limits.attempts_per_address_per_second",
                    attemptsPerAddressPerSecond,
                    0,
                    1_000_000,
                    "attempts");
            requireRange(
                    "proxy.rate_limits.attempts_per_endpoint_per_second",
                    attemptsPerEndpointPerSecond,
                    0,
                    1_000_000,
                    "attempts");
            requireRange(
                    "proxy.rate_limits.failures_per_address_per_minute",
                    failuresPerAddressPerMinute,
                    0,
                    1_000_000,
                    "failures");
            requireRange(
                    "proxy.rate_limits.unauthenticated_connections_per_address",
                    unauthenticatedConnectionsPerAddress,
                    0,
                    1_000_000,
                    "connections");
        }
    }

    /**
     * Pooled endpoints, {@code <endpoint id>-pooler}.
     *
     * @param maxServerConnections of one endpoint; never more than nine tenths of its compute's max_connections
     * @param maxWaitingClients for a server connection, of one endpoint; one more gets SQLSTATE 53300
     * @param waitTimeoutSeconds for a server connection
     * @param serverIdleTimeoutSeconds after which an unused server connection is closed
     * @param serverLifetimeSeconds after which a server connection is replaced, once its client is done with it
     * @param maxPreparedStatements kept on a server connection
     */
    public record Pool(
            int maxServerConnections,
            int maxWaitingClients,
            int waitTimeoutSeconds,
            int serverIdleTimeoutSeconds,
            int serverLifetimeSeconds,
            int maxPreparedStatements) {
        /** Checks ranges. */
        public Pool {
            requireRange("proxy.pool.max_server_connections", maxServerConnections, 1, 100_000, "connections");
            requireRange("proxy.pool.max_waiting_clients", maxWaitingClients, 0, 1_000_000, "clients");
            requireRange("proxy.pool.wait_timeout_seconds", waitTimeoutSeconds, 1, 3_600, "seconds");
            requireRange("proxy.pool.server_idle_timeout_seconds", serverIdleTimeoutSeconds, 1, 86_400, "seconds");
            requireRange("proxy.pool.server_lifetime_seconds", serverLifetimeSeconds, 1, 31_536_000, "seconds");
            requireRange("proxy.pool.max_prepared_statements", maxPreparedStatements, 1, 100_000, "statements");
        }
    }

    /**
     * SQL over HTTP and WebSockets.
     *
     * @param enabled whether they are answered
     * @param maxRequestMegabytes of one request
     * @param maxResponseMegabytes of the response to one request
     */
    public record Http(boolean enabled, int maxRequestMegabytes, int maxResponseMegabytes) {
        /** Checks ranges. */
        public Http {
            requireRange("proxy.http.max_request_megabytes", maxRequestMegabytes, 1, 1_024, "megabytes");
            requireRange("proxy.http.max_response_megabytes", maxResponseMegabytes, 1, 1_024, "megabytes");
        }
    }

    /**
     * TLS of the front door. The certificate files are PEM, and needed by {@link TlsMode#FILES} only.
     *
     * @param moreCertificates shown instead of the first to clients that ask for one of their names
     * @param clientCa PEM file with the authorities of client certificates; empty = none are asked for
     * @param clientCertificates whether a client must show one, when there are authorities
     */
    public record Tls(
            TlsMode mode,
            boolean required,
            Optional<Path> certificate,
            Optional<Path> key,
            List<Certificate> moreCertificates,
            Optional<Path> clientCa,
            ClientCertificates clientCertificates) {
        /** Checks that files are named exactly when they are needed. */
        public Tls {
            moreCertificates = List.copyOf(moreCertificates);
            if (required && mode == TlsMode.OFF) {
                throw new InvalidSettingException("proxy.tls.required", "cannot be true while proxy.tls.mode is off");
            }
            boolean files = mode == TlsMode.FILES;
            if (files && (certificate.isEmpty() || key.isEmpty())) {
                throw new InvalidSettingException(
                        "proxy.tls.mode", "is files, so proxy.tls.certificate and proxy.tls.key must name PEM files");
            }
            if (!files && (certificate.isPresent() || key.isPresent() || !moreCertificates.isEmpty())) {
                throw new InvalidSettingException(
                        certificate.isPresent()
                                ? "proxy.tls.certificate"
                                : key.isPresent() ? "proxy.tls.key" : "proxy.tls.more_certificates",
                        "is only used when proxy.tls.mode is files");
            }
            if (clientCa.isPresent() && clientCertificates == ClientCertificates.REQUIRED && !required) {
                throw new InvalidSettingException(
                        "proxy.tls.client_certificates",
                        "is required, so proxy.tls.required must be true: in clear a client has no certificate");
            }
        }
    }

    /** A certificate chain, the server's first, and its unencrypted private key, both PEM. */
    public record Certificate(Path certificate, Path key) {}

    /** Whether clients must show a certificate. */
    public enum ClientCertificates {
        /** One that is shown is verified. */
        @JsonProperty("optional")
        OPTIONAL,
        /** Without one nobody comes in. */
        @JsonProperty("required")
        REQUIRED
    }

    /** Where the certificate of the front door comes from. */
    public enum TlsMode {
        /** A self-signed one for {@code localhost} and {@code *.localhost}, made at the first start. */
        @JsonProperty("auto")
        AUTO,
        /** No TLS is offered. */
        @JsonProperty("off")
        OFF,
        /** From the configured files. */
        @JsonProperty("files")
        FILES
    }

    /**
     * The REST API.
     *
     * @param operationsListen where metrics, health and readiness are served; empty = nowhere
     * @param allowPlainHttp whether it may be plain HTTP on an address that others can reach
     * @param allowedHosts further names by which requests may call it
     */
    public record Api(
            ListenAddress listen,
            Optional<ListenAddress> operationsListen,
            ApiTls tls,
            boolean allowPlainHttp,
            List<String> allowedHosts,
            ApiRateLimits rateLimits) {
        /** Copies the list. */
        public Api {
            allowedHosts = List.copyOf(allowedHosts);
        }

        /** What a client on this machine calls: {@code http://127.0.0.1:5480/api/v2}. */
        public String url() {
            return (tls.certificate().isPresent() ? "https://" : "http://") + listen.connectable() + "/api/v2";
        }
    }

    /** The certificate chain and the key of the REST API, PEM files; both or none. */
    public record ApiTls(Optional<Path> certificate, Optional<Path> key) {
        /** Checks that both are named, or none. */
        public ApiTls {
            if (certificate.isPresent() != key.isPresent()) {
                throw new InvalidSettingException(
                        certificate.isPresent() ? "api.tls.key" : "api.tls.certificate",
                        "is missing: api.tls needs a certificate and its key");
            }
        }
    }

    /**
     * Rates above which requests are refused; 0 = no limit.
     *
     * @param requestsPerKeyPerSecond with one API key
     * @param failuresPerAddressPerMinute wrong keys from one address
     */
    public record ApiRateLimits(int requestsPerKeyPerSecond, int failuresPerAddressPerMinute) {
        /** Checks ranges. */
        public ApiRateLimits {
            requireRange(
                    "api.rate_limits.requests_per_key_per_second", requestsPerKeyPerSecond, 0, 1_000_000, "requests");
            requireRange(
                    "api.rate_limits.failures_per_address_per_minute",
                    failuresPerAddressPerMinute,
                    0,
                    1_000_000,
                    "failures");
        }
    }

    /** Whether computes start where the kernel cannot confine them. */
    public enum Isolation {
        /** They do not. */
        @JsonProperty("required")
        REQUIRED,
        /** With what there is. */
        @JsonProperty("preferred")
        PREFERRED,
        /** Without, wherever. */
        @JsonProperty("off")
        OFF
    }

    /** Whom programs in a compute may talk to. */
    public enum Network {
        /** Nobody. */
        @JsonProperty("none")
        NONE,
        /** Whom the machine reaches. */
        @JsonProperty("all")
        ALL
    }

    /**
     * Every branch's compute, unless its endpoint says otherwise.
     *
     * @param suspendTimeoutSeconds without a query until the compute is suspended; -1 = never
     * @param user one user of the system that runs every Postgres when the server is root; empty = each branch has its own
     * @param uids the numbers that these are drawn from, {@code FIRST-LAST}
     * @param isolation whether computes start where the kernel cannot confine them; empty = required for root, else preferred
     * @param network of ordinary computes
     * @param maskedNetwork of computes of anonymized branches and for masked roles
     * @param sizeComputeUnits one unit stands for 1 CPU and 4 GB of memory
     * @param sharedBuffersMegabytes Postgres's shared_buffers
     * @param shutdownTimeoutSeconds for a fast shutdown, before the compute is killed and recovered at its next wake
     * @param localCacheMegabytes for local files of suspended computes, all together; empty = a tenth of the disk
     * @param postgresSettings more lines for postgresql.conf, by parameter name
     */
    public record Compute(
            int suspendTimeoutSeconds,
            Optional<String> user,
            String uids,
            Optional<Isolation> isolation,
            Network network,
            Network maskedNetwork,
            double sizeComputeUnits,
            int sharedBuffersMegabytes,
            int shutdownTimeoutSeconds,
            Optional<Integer> localCacheMegabytes,
            Map<String, String> postgresSettings) {
        /** A suspend time-out that never ends. */
        public static final int NEVER = -1;

        private static final double LEAST_COMPUTE_UNITS = 0.25;
        private static final double MOST_COMPUTE_UNITS = 1024;
        /** Seven days, Neon's limit. */
        private static final int LONGEST_SUSPEND_TIMEOUT_SECONDS = 604_800;

        /** The users that branches are given. */
        public UserRange userRange() {
            return UserRange.parse(uids);
        }

        /** Checks ranges. */
        public Compute {
            UserRange.parse(uids);
            if (suspendTimeoutSeconds != NEVER
                    && (suspendTimeoutSeconds < 1 || suspendTimeoutSeconds > LONGEST_SUSPEND_TIMEOUT_SECONDS)) {
                throw new InvalidSettingException(
                        "compute.suspend_timeout_seconds",
                        "must be -1 (never) or from 1 to " + LONGEST_SUSPEND_TIMEOUT_SECONDS + " seconds, not "
                                + suspendTimeoutSeconds);
            }
            if (!(sizeComputeUnits >= LEAST_COMPUTE_UNITS && sizeComputeUnits <= MOST_COMPUTE_UNITS)) {
                throw new InvalidSettingException(
                        "compute.size_compute_units",
                        "must be from 0.25 to 1024 compute units, not " + sizeComputeUnits);
            }
            requireRange("compute.shared_buffers_megabytes", sharedBuffersMegabytes, 1, 1_048_576, "megabytes");
            requireRange("compute.shutdown_timeout_seconds", shutdownTimeoutSeconds, 1, 3_600, "seconds");
            localCacheMegabytes.ifPresent(megabytes ->
                    requireRange("compute.local_cache_megabytes", megabytes, 0, Integer.MAX_VALUE, "megabytes"));
            postgresSettings = Map.copyOf(postgresSettings);
        }
    }

    /**
     * Read-only computes of past moments.
     *
     * @param idleTimeoutSeconds without a query until such a compute goes
     * @param computesPerProject at once; more are refused with SQLSTATE 53300
     */
    public record TimeTravel(int idleTimeoutSeconds, int computesPerProject) {
        /** Checks ranges. */
        public TimeTravel {
            requireRange("time_travel.idle_timeout_seconds", idleTimeoutSeconds, 1, 86_400, "seconds");
            requireRange("time_travel.computes_per_project", computesPerProject, 0, 10_000, "computes");
        }
    }

    /**
     * How long what was deleted can be recovered, and keeps its space.
     *
     * @param branchSeconds of a branch; 0 = it is gone at once
     * @param projectSeconds of a project; 0 = it is gone at once
     */
    public record Recovery(int branchSeconds, int projectSeconds) {
        /** Checks ranges. */
        public Recovery {
            requireRange("recovery.branch_seconds", branchSeconds, 0, 31_536_000, "seconds");
            requireRange("recovery.project_seconds", projectSeconds, 0, 31_536_000, "seconds");
        }
    }

    /** The Postgres that computes run; {@code bin} = the bin directory of an installed one, empty = the embedded one. */
    public record Postgres(Optional<Path> bin) {}

    /** The control plane's own small Postgres. */
    public record Catalog(int sharedBuffersMegabytes) {
        /** Checks ranges. */
        public Catalog {
            requireRange("catalog.shared_buffers_megabytes", sharedBuffersMegabytes, 1, 1_048_576, "megabytes");
        }
    }

    /** What the server logs. */
    public record Logging(LogLevel level) {}

    /** From quiet to chatty. */
    public enum LogLevel {
        /** Errors only. */
        @JsonProperty("error")
        ERROR,
        /** And what looks wrong. */
        @JsonProperty("warn")
        WARN,
        /** And starts, stops, wakes and suspends. */
        @JsonProperty("info")
        INFO,
        /** And the phases inside them. */
        @JsonProperty("debug")
        DEBUG,
        /** Everything. */
        @JsonProperty("trace")
        TRACE
    }
}
