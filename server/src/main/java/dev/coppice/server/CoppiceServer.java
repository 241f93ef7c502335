package dev.coppice.server;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.config.CoppiceConfiguration;
import dev.coppice.common.config.ListenAddress;
import dev.coppice.common.http.HostNames;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeUsers;
import dev.coppice.compute.InterposerLibrary;
import dev.coppice.compute.LocalProcessDriver;
import dev.coppice.compute.PostgresBinaries;
import dev.coppice.compute.TemplateCluster;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.compute.sandbox.SandboxSettings;
import dev.coppice.control.ControlConfiguration;
import dev.coppice.control.ControlPlane;
import dev.coppice.control.api.server.ApiSettings;
import dev.coppice.control.catalog.CatalogServer;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.proxy.ProxyConfiguration;
import dev.coppice.proxy.ProxyServer;
import dev.coppice.proxy.http.HttpSettings;
import dev.coppice.proxy.limit.AddressRanges;
import dev.coppice.proxy.limit.RateLimits;
import dev.coppice.proxy.pool.PoolSettings;
import dev.coppice.proxy.session.ProxyProtocol;
import dev.coppice.proxy.tls.TlsSettings;
import dev.coppice.storage.PageService;
import dev.coppice.storage.layout.DataDirectoryIdentity;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole of Coppice in one process, from a configuration: page service, computes, control plane and proxy. Parts are
 * started bottom up and closed top down; whatever was started is closed when a later part fails.
 */
final class CoppiceServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CoppiceServer.class);

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final ControlPlane control;
    private final ProxyServer proxy;
    private final Path data;

    /** Null when the data directory could not be used. */
    private @Nullable DataDirectoryIdentity identity;

    /** Of the proxy, with a port. */
    private final ListenAddress listen;

    private CoppiceConfiguration configuration;

    private CoppiceServer(CoppiceConfiguration configuration, Steps steps) throws IOException {
        this.configuration = configuration;
        this.data = configuration.dataDirectory().orElseThrow().toAbsolutePath();
        try {
            started.push(DataDirectoryLock.take(data));
            DataDirectoryIdentity opened = DataDirectoryIdentity.open(data);
            this.identity = opened;
            this.listen = ListenPorts.requireFree(
                    "proxy.listen", configuration.proxy().listen());
            var _ = ListenPorts.requireFree("api.listen", configuration.api().listen());
            Clock clock = Clock.systemUTC();
            MetricRegistry metrics = new MetricRegistry();
            MachineMetrics.register(metrics, data);
            ComputeUsers users = ComputeUsers.open(
                    data.resolve("users"),
                    opened.id(),
                    configuration.compute().userRange(),
                    configuration.compute().user());
            Path interposer = InterposerLibrary.prepare(data.resolve("lib"));
            // An installation brings it unpacked; its launcher says where.
            PostgresBinaries binaries = PostgresBinaries.prepare(
                    Path.of(System.getProperty(
                            "coppice.postgres.directory",
                            data.resolve("postgres").toString())),
                    configuration.postgres().bin());
            Sandbox sandbox = Sandbox.prepare(data.resolve("lib"), sandbox(configuration.compute()));
            // The catalog and the template start side by side: each waits for a Postgres most of its time.
            CompletableFuture<CatalogServer> catalog = CompletableFuture.supplyAsync(() -> CatalogServer.start(
                    binaries.bin(),
                    interposer,
                    users.named("catalog"),
                    sandbox,
                    data,
                    configuration.catalog().sharedBuffersMegabytes()));
            PageService pages = PageService.open(data.resolve("timelines"), configuration.storage());
            started.push(pages);
            started.push(() -> closeIfStarted(catalog));
            TemplateCluster.prepare(
                    pages, binaries, interposer, users.named(TemplateCluster.USER), sandbox, data.resolve("scratch"));
            ComputeService computes = new ComputeService(new ComputeService.Parts(
                    pages,
                    binaries,
                    interposer,
                    users,
                    data.resolve("run"),
                    new LocalProcessDriver(sandbox),
                    metrics,
                    clock,
                    configuration
                            .compute()
                            .localCacheMegabytes()
                            .map(megabytes -> (long) megabytes << 20)
                            .orElse(-1L),
                    configuration.disk()));
            started.push(() -> suspendAndClose(computes));
            this.control = ControlPlane.open(
                    control(configuration, listen, data),
                    catalog.join(),
                    pages,
                    computes,
                    binaries.majorVersion(),
                    clock,
                    steps);
            started.push(control);
            this.proxy = ProxyServer.start(
                    proxy(configuration, listen, data),
                    new ControlDirectory(control.routing()),
                    mockSecret(data),
                    metrics);
            started.push(proxy);
            configuration
                    .api()
                    .operationsListen()
                    .ifPresent(operations -> started.addLast(new OperationsServer(
                            socketAddress(operations),
                            hosts(socketAddress(operations), configuration, listen),
                            metrics,
                            proxy::listening,
                            sandbox.isolation().text())));
        } catch (IOException | RuntimeException e) {
            close();
            if (e instanceof CompletionException && e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /**
     * Starts everything; returns when clients can connect.
     *
     * @param configuration with its data directory present
     * @throws ServerStartException when the data directory cannot be used; the parts throw their own
     */
    static CoppiceServer start(CoppiceConfiguration configuration) {
        return start(configuration, Steps.NONE);
    }

    /** As the first one; {@code steps} is told of every step of the control plane that outlives the process. */
    static CoppiceServer start(CoppiceConfiguration configuration, Steps steps) {
        try {
            return new CoppiceServer(configuration, steps);
        } catch (IOException e) {
            throw new ServerStartException(
                    "cannot use the data directory "
                            + configuration.dataDirectory().orElseThrow(),
                    e);
        }
    }

    /**
     * Goes on with a configuration read again, as far as that is possible while running: limits, addresses and
     * certificates of the proxy, and the log level. The rest waits for a restart, and a log line says so.
     *
     * @throws RuntimeException when something in it cannot be used; nothing has changed then
     */
    synchronized void reload(CoppiceConfiguration changed) {
        proxy.reload(proxy(changed, listen, data));
        LogLevel.set(changed.logging().level());
        List<String> waiting = new ArrayList<>();
        CoppiceConfiguration.Proxy now = changed.proxy();
        CoppiceConfiguration.Proxy before = configuration.proxy();
        addIfChanged(waiting, "proxy.listen", before.listen(), now.listen());
        addIfChanged(waiting, "proxy.advertised_address", before.advertisedAddress(), now.advertisedAddress());
        addIfChanged(waiting, "proxy.io_threads", before.ioThreads(), now.ioThreads());
        addIfChanged(waiting, "proxy.drain_timeout_seconds", before.drainTimeoutSeconds(), now.drainTimeoutSeconds());
        addIfChanged(waiting, "data_directory", configuration.dataDirectory(), changed.dataDirectory());
        addIfChanged(waiting, "api", configuration.api(), changed.api());
        addIfChanged(waiting, "compute", configuration.compute(), changed.compute());
        addIfChanged(waiting, "time_travel", configuration.timeTravel(), changed.timeTravel());
        addIfChanged(waiting, "postgres", configuration.postgres(), changed.postgres());
        addIfChanged(waiting, "catalog", configuration.catalog(), changed.catalog());
        addIfChanged(waiting, "storage", configuration.storage(), changed.storage());
        log.info("The configuration was read again");
        if (!waiting.isEmpty()) {
            log.warn("Changes of {} need a restart", String.join(", ", waiting));
        }
    }

    private static void addIfChanged(List<String> names, String name, Object before, Object now) {
        if (!before.equals(now)) {
            names.add(name);
        }
    }

    private static SandboxSettings sandbox(CoppiceConfiguration.Compute compute) {
        SandboxSettings.Mode mode = compute.isolation()
                .map(isolation -> switch (isolation) {
                    case REQUIRED -> SandboxSettings.Mode.REQUIRED;
                    case PREFERRED -> SandboxSettings.Mode.PREFERRED;
                    case OFF -> SandboxSettings.Mode.OFF;
                })
                .orElseGet(SandboxSettings::standardMode);
        return new SandboxSettings(mode, network(compute.network()), network(compute.maskedNetwork()));
    }

    private static SandboxSettings.Network network(CoppiceConfiguration.Network network) {
        return switch (network) {
            case NONE -> SandboxSettings.Network.NONE;
            case ALL -> SandboxSettings.Network.ALL;
        };
    }

    /** The control plane has suspended them before; after a failed start there may be none to do it. */
    private static void suspendAndClose(ComputeService computes) {
        try {
            computes.suspendAll().join();
        } finally {
            computes.close();
        }
    }

    private static void closeIfStarted(CompletableFuture<CatalogServer> catalog) {
        catalog.thenAccept(CatalogServer::close).exceptionally(_ -> null).join();
    }

    private static ControlConfiguration control(CoppiceConfiguration configuration, ListenAddress listen, Path data) {
        ListenAddress advertised = configuration.proxy().publicAddress(listen);
        CoppiceConfiguration.Compute compute = configuration.compute();
        Map<String, String> settings = new HashMap<>(compute.postgresSettings());
        settings.putIfAbsent("shared_buffers", compute.sharedBuffersMegabytes() + "MB");
        return new ControlConfiguration(
                data,
                api(configuration, listen),
                advertised.host(),
                advertised.port(),
                compute.suspendTimeoutSeconds(),
                configuration.catalog().sharedBuffersMegabytes(),
                new TimeTravel.Limits(
                        configuration.timeTravel().idleTimeoutSeconds(),
                        configuration.timeTravel().computesPerProject()),
                new RecoveryWindow(
                        configuration.recovery().branchSeconds(),
                        configuration.recovery().projectSeconds()),
                new ComputeSettings(compute.sizeComputeUnits(), settings),
                addresses -> {
                    var _ = AddressRanges.parse(addresses);
                });
    }

    /** What a server that listens at {@code address} may be called; {@code proxy} is where the proxy listens. */
    private static HostNames hosts(InetSocketAddress address, CoppiceConfiguration configuration, ListenAddress proxy) {
        return HostNames.of(
                address.getAddress() != null && address.getAddress().isLoopbackAddress(),
                configuration.api().allowedHosts(),
                configuration.proxy().publicAddress(proxy).host());
    }

    private static ApiSettings api(CoppiceConfiguration configuration, ListenAddress proxy) {
        CoppiceConfiguration.Api api = configuration.api();
        return new ApiSettings(
                socketAddress(api.listen()),
                api.tls()
                        .certificate()
                        .map(certificate ->
                                new ApiSettings.Tls(certificate, api.tls().key().orElseThrow())),
                api.allowPlainHttp(),
                hosts(socketAddress(api.listen()), configuration, proxy),
                api.rateLimits().requestsPerKeyPerSecond(),
                api.rateLimits().failuresPerAddressPerMinute());
    }

    private static ProxyConfiguration proxy(CoppiceConfiguration configuration, ListenAddress listen, Path data) {
        CoppiceConfiguration.Proxy proxy = configuration.proxy();
        CoppiceConfiguration.Tls tls = proxy.tls();
        Optional<TlsSettings.ClientCertificates> clients = tls.clientCa()
                .map(authorities -> new TlsSettings.ClientCertificates(
                        authorities, tls.clientCertificates() == CoppiceConfiguration.ClientCertificates.REQUIRED));
        TlsSettings settings = switch (tls.mode()) {
            case AUTO -> new TlsSettings.SelfSigned(data.resolve("tls"), clients);
            case OFF -> new TlsSettings.Off();
            case FILES -> {
                List<TlsSettings.Certificate> certificates = new ArrayList<>();
                certificates.add(new TlsSettings.Certificate(
                        tls.certificate().orElseThrow(), tls.key().orElseThrow()));
                tls.moreCertificates()
                        .forEach(more -> certificates.add(new TlsSettings.Certificate(more.certificate(), more.key())));
                yield new TlsSettings.Files(certificates, clients);
            }
        };
        CoppiceConfiguration.Pool pool = proxy.pool();
        CoppiceConfiguration.RateLimits rates = proxy.rateLimits();
        return ProxyConfiguration.builder(socketAddress(listen), settings)
                .tlsRequired(tls.required())
                .maxConnections(proxy.maxConnections())
                .handshakeTimeout(Duration.ofSeconds(proxy.handshakeTimeoutSeconds()))
                .ioThreads(proxy.ioThreads())
                .pool(new PoolSettings(
                        pool.maxServerConnections(),
                        pool.maxWaitingClients(),
                        Duration.ofSeconds(pool.waitTimeoutSeconds()),
                        Duration.ofSeconds(pool.serverIdleTimeoutSeconds()),
                        Duration.ofSeconds(pool.serverLifetimeSeconds()),
                        pool.maxPreparedStatements()))
                .http(HttpSettings.ofMegabytes(
                        proxy.http().enabled(),
                        proxy.http().maxRequestMegabytes(),
                        proxy.http().maxResponseMegabytes()))
                .allowedAddresses(addresses("proxy.allowed_addresses", proxy.allowedAddresses()))
                .rateLimits(new RateLimits(
                        rates.attemptsPerAddressPerSecond(),
                        rates.attemptsPerEndpointPerSecond(),
                        rates.failuresPerAddressPerMinute(),
                        rates.unauthenticatedConnectionsPerAddress()))
                .proxyProtocol(proxyProtocol(proxy.proxyProtocol()))
                .drainTimeout(Duration.ofSeconds(proxy.drainTimeoutSeconds()))
                .build();
    }

    private static ProxyProtocol proxyProtocol(CoppiceConfiguration.ProxyProtocol protocol) {
        AddressRanges trusted = addresses("proxy.proxy_protocol.trusted_addresses", protocol.trustedAddresses());
        return new ProxyProtocol(
                switch (protocol.mode()) {
                    case OFF -> ProxyProtocol.Mode.OFF;
                    case OPTIONAL -> ProxyProtocol.Mode.OPTIONAL;
                    case REQUIRED -> ProxyProtocol.Mode.REQUIRED;
                },
                trusted);
    }

    private static AddressRanges addresses(String key, List<String> texts) {
        try {
            return AddressRanges.parse(texts);
        } catch (IllegalArgumentException e) {
            throw new ServerStartException(key + " cannot be used", e);
        }
    }

    private static InetSocketAddress socketAddress(ListenAddress address) {
        return new InetSocketAddress(address.host(), address.port());
    }

    /** Mock verifiers must not change over restarts, or they would tell unknown roles from known ones. */
    private static byte[] mockSecret(Path data) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("proxy mock verifiers".getBytes(StandardCharsets.UTF_8));
            return digest.digest(Files.readAllBytes(data.resolve("secret.key")));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    ControlPlane.Welcome welcome() {
        return control.welcome();
    }

    /** Ends client sessions, suspends all computes, stops the catalog and releases the data directory. */
    @Override
    public void close() {
        boolean atRest = true;
        while (!started.isEmpty()) {
            AutoCloseable part = started.pop();
            try {
                if (part instanceof DataDirectoryLock && atRest && identity != null) {
                    identity.release();
                }
                part.close();
            } catch (Exception e) {
                // The others must be closed all the same.
                atRest = false;
                log.error("Cannot close {}", part.getClass().getSimpleName(), e);
            }
        }
    }
}
