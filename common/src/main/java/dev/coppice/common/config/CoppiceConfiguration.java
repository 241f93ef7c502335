package dev.coppice.common.config;

import static dev.coppice.common.config.InvalidSettingException.requireRange;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.file.Path;
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
        Postgres postgres,
        Catalog catalog,
        StorageConfiguration storage,
        Logging logging) {

    /** What holds where the file says nothing. */
    public static final CoppiceConfiguration DEFAULTS = new CoppiceConfiguration(
            Optional.empty(),
            new Proxy(
                    new ListenAddress("127.0.0.1", 5433),
                    Optional.empty(),
                    10_000,
                    15,
                    new Tls(TlsMode.AUTO, Optional.empty(), Optional.empty())),
            new Api(new ListenAddress("127.0.0.1", 5480)),
            new Compute(300, Optional.empty(), 1.0, 128, 30, Map.of()),
            new TimeTravel(30, 8),
            new Postgres(Optional.empty()),
            new Catalog(16),
            StorageConfiguration.DEFAULTS,
            new Logging(LogLevel.INFO));

    /**
     * The Postgres front door.
     *
     * @param advertisedAddress what connection strings name; empty = {@code listen}
     * @param maxConnections client connections at once; more are refused with SQLSTATE 53300
     * @param handshakeTimeoutSeconds from accept to a finished login, without the time a wake takes
     */
    public record Proxy(
            ListenAddress listen,
            Optional<ListenAddress> advertisedAddress,
            int maxConnections,
            int handshakeTimeoutSeconds,
            Tls tls) {
        /** Checks ranges. */
        public Proxy {
            requireRange("proxy.max_connections", maxConnections, 1, 1_000_000, "connections");
            requireRange("proxy.handshake_timeout_seconds", handshakeTimeoutSeconds, 1, 600, "seconds");
        }

        /** What a client on this machine, or behind the advertised address, connects to. */
        public ListenAddress publicAddress() {
            return advertisedAddress.orElse(listen.connectable());
        }
    }

    /** TLS of the front door; {@code certificate} and {@code key} are PEM files, needed by {@link TlsMode#FILES} only. */
    public record Tls(TlsMode mode, Optional<Path> certificate, Optional<Path> key) {
        /** Checks that both files are named exactly when they are needed. */
        public Tls {
            boolean files = mode == TlsMode.FILES;
            if (files && (certificate.isEmpty() || key.isEmpty())) {
                throw new InvalidSettingException(
                        "proxy.tls.mode", "is files, so proxy.tls.certificate and proxy.tls.key must name PEM files");
            }
            if (!files && (certificate.isPresent() || key.isPresent())) {
                throw new InvalidSettingException(
                        certificate.isPresent() ? "proxy.tls.certificate" : "proxy.tls.key",
                        "is only used when proxy.tls.mode is files");
            }
        }
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

    /** The REST API. */
    public record Api(ListenAddress listen) {
        /** What a client on this machine calls: {@code http://127.0.0.1:5480/api/v2}. */
        public String url() {
            return "http://" + listen.connectable() + "/api/v2";
        }
    }

    /**
     * Every branch's compute, unless its endpoint says otherwise.
     *
     * @param suspendTimeoutSeconds without a query until the compute is suspended; -1 = never
     * @param user the system user that runs Postgres when the server is root; empty = {@code coppice}
     * @param sizeComputeUnits one unit stands for 1 CPU and 4 GB of memory
     * @param sharedBuffersMegabytes Postgres's shared_buffers
     * @param shutdownTimeoutSeconds for a fast shutdown, before the compute is killed and recovered at its next wake
     * @param postgresSettings more lines for postgresql.conf, by parameter name
     */
    public record Compute(
            int suspendTimeoutSeconds,
            Optional<String> user,
            double sizeComputeUnits,
            int sharedBuffersMegabytes,
            int shutdownTimeoutSeconds,
            Map<String, String> postgresSettings) {
        /** A suspend time-out that never ends. */
        public static final int NEVER = -1;

        private static final double LEAST_COMPUTE_UNITS = 0.25;
        private static final double MOST_COMPUTE_UNITS = 1024;
        /** Seven days, Neon's limit. */
        private static final int LONGEST_SUSPEND_TIMEOUT_SECONDS = 604_800;

        /** Checks ranges. */
        public Compute {
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
