package dev.coppice.proxy;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.tls.TlsSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;

/** A proxy before one real Postgres that plays the compute of every endpoint. */
final class ProxyFixture implements AutoCloseable {
    static final byte[] SECRET = "a secret for tests".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    static final String PASSWORD = "correct horse";
    static final RoutedEndpoint MAIN = new RoutedEndpoint("ep-main-1", "main", "project-1");
    static final RoutedEndpoint DEV = new RoutedEndpoint("ep-dev-2", "dev", "project-1");

    final FakeDirectory directory = new FakeDirectory();
    final MetricRegistry metrics = new MetricRegistry();
    final TestPostgres postgres;
    final Path tlsDirectory;
    ProxyServer proxy;

    private ProxyFixture(TestPostgres postgres) throws IOException {
        this.postgres = postgres;
        this.tlsDirectory = Files.createTempDirectory(TestDirectories.base(), "tls-");
        directory.endpoints.addAll(List.of(MAIN, DEV));
        directory.defaults.add(MAIN);
        directory.verifiers.put("alice", TestVerifiers.verifier(PASSWORD, "salt of alice"));
        directory.verifiers.put("coppice_admin", TestVerifiers.verifier(PASSWORD, "salt of admin"));
        awake();
        this.proxy = start(configuration(), metrics);
    }

    static ProxyFixture start() throws IOException, InterruptedException {
        return new ProxyFixture(TestPostgres.create(List.of(
                "create role alice superuser login password '" + TestVerifiers.verifier(PASSWORD, "salt of alice")
                        + "'",
                "alter role coppice_admin password '" + TestVerifiers.verifier(PASSWORD, "salt of admin") + "'",
                "create database shop owner alice")));
    }

    ProxyServer start(ProxyConfiguration configuration, MetricRegistry registry) {
        return ProxyServer.start(configuration, directory, SECRET, registry);
    }

    ProxyConfiguration configuration() {
        return ProxyConfiguration.defaults(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new TlsSettings.SelfSigned(tlsDirectory));
    }

    ProxyConfiguration configuration(int maxConnections, Duration handshakeTimeout, Duration wakeTimeout) {
        ProxyConfiguration base = configuration();
        return new ProxyConfiguration(
                base.listen(),
                base.tls(),
                false,
                base.domains(),
                maxConnections,
                handshakeTimeout,
                wakeTimeout,
                1,
                base.pool(),
                base.http(),
                base.allowedAddresses(),
                base.rateLimits(),
                base.drainTimeout());
    }

    /** Every wake answers at once. */
    void awake() {
        directory.wake = () -> CompletableFuture.completedFuture(postgres.socket());
        directory.wakes.set(0);
        directory.woken.clear();
    }

    int open() {
        return open(metrics);
    }

    static int open(MetricRegistry registry) {
        return (int) Objects.requireNonNull(registry.getGauges().get("proxy.connections.open"))
                .getValue();
    }

    /** A number of the pools, as {@code proxy.pool.<name>} says it now. */
    int poolGauge(String name) {
        return (int) Objects.requireNonNull(metrics.getGauges().get("proxy.pool." + name))
                .getValue();
    }

    int port() {
        return proxy.address().getPort();
    }

    Connection connect(String database, String... properties) throws SQLException {
        return connect(port(), database, "alice", PASSWORD, properties);
    }

    static Connection connect(int port, String database, String user, String password, String... properties)
            throws SQLException {
        Properties all = new Properties();
        all.setProperty("user", user);
        all.setProperty("password", password);
        all.setProperty("sslmode", "disable");
        all.setProperty("PGDBNAME", database);
        for (int i = 0; i < properties.length; i += 2) {
            all.setProperty(properties[i], properties[i + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/", all);
    }

    static String one(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        proxy.close();
        postgres.close();
        TestDirectories.delete(tlsDirectory);
    }
}
